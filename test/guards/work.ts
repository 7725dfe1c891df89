/** Workers, profiles, scoring, repair and Kafka: what core promises behind a 2xx answer. */
import type { Guards } from './guard.ts';

export const WORK: Guards = {
  'drain-on-sigterm': {
    says: 'A worker that is told to stop leaves no pending entry and no consumer.',
    shown: 'RISK_SHUTDOWN_TIMEOUT_MS',
    test: 'integration/worker.test.ts > SIGTERM under load leaves no pending entry, no consumer, and exits 0',
    mechanism: 'src/core/work/run-worker.ts',
  },
  takeover: {
    says: 'Entries of a consumer that died are taken over, and each is counted once.',
    shown: 'RISK_CLAIM_IDLE_MS, RISK_READ_BLOCK_MS',
    test: 'integration/worker.test.ts > takes over the entries of a consumer that died, and counts each of them once',
    mechanism: 'src/core/work/run-worker.ts',
  },
  heartbeats: {
    says: 'A batch that waits is held by its worker, so that no other worker takes it over.',
    shown: 'RISK_WORKER_READERS',
    test: 'integration/heartbeats.test.ts > a batch that waits for another to be folded is held, too',
    mechanism: 'src/core/work/lanes.ts',
  },
  retries: {
    says: 'One poisonous transaction of a hundred is given up after four attempts, and costs no other one.',
    shown: 'RISK_RETRY_BASE_MS',
    test: 'integration/dead-letters.test.ts > dead letters take one poisonous transaction of a hundred after four attempts',
    mechanism: 'src/core/work/decided.ts',
  },
  'entry-versions': {
    says: 'Entries of a version that no worker reads for ten minutes are appended anew from their open rows.',
    test: 'integration/entry-versions.test.ts > are appended from Postgres once nobody has claimed them for long, and not before',
    mechanism: 'src/core/stream/lua/drop-unread-2.lua',
  },
  'growing-batches': {
    says: 'A small batch is worked on alone, and more batches are in flight the more is held.',
    shown: 'RISK_BATCH_ENTRIES',
    test: 'unit/core/work/run-worker.test.ts > a small batch is worked on alone; the more is held, the more batches are in flight',
    mechanism: 'src/core/work/lanes.ts',
  },
  'pinned-worker': {
    says: 'A worker that is given corridors reads these alone.',
    shown: 'RISK_WORKER_CORRIDORS',
    test: 'unit/core/work/run-worker.test.ts > a pinned worker reads its corridors alone',
    mechanism: 'src/core/work/run-worker.ts',
  },
  'event-budget': {
    says: 'Events and copies of dead letters share a budget of memory, and the oldest of the largest streams go.',
    shown: 'RISK_EVENT_BYTES_MAX',
    test: 'integration/event-budget.test.ts > the budget over events and copies of dead letters drops the oldest of the largest streams, and says how many bytes',
    mechanism: 'src/core/stream/memory/bound-events.ts',
  },
  'reconciler-age': {
    says: 'The reconciler leaves an open row alone while the request that made it may still run.',
    shown: 'RISK_RECONCILE_AGE_MS',
    test: 'integration/reconcile.test.ts > a row that is nowhere in Redis is left alone while its request may still be running',
    mechanism: 'src/core/repair/reconcile.ts',
  },
  'reconcile-by-command': {
    says: 'The command gives way to a worker that leads the reconciliation.',
    shown: 'risk reconcile',
    test: 'integration/reconcile.test.ts > the command gives way to a worker that leads',
    mechanism: 'src/rooms/operate/commands/reconcile.ts',
  },
  'deserted-entries': {
    says: 'Entries that no group would deliver are claimed.',
    test: 'integration/lost-parts.test.ts > when their group was removed and made anew at the end',
    mechanism: 'src/core/stream/lua/adopt-1.lua',
  },
  'profile-lifetime': {
    says: 'A profile log lives as long as somebody uses the log.',
    shown: 'RISK_PROFILE_TTL_SECONDS',
    test: 'integration/stream-profile-logs.test.ts > logs of profiles live on while they are renewed, placeholders do not',
    mechanism: 'src/core/stream/lua/append-profiles-n.lua',
  },
  'late-rows-once': {
    says: 'A row of a merchant whose past comes out of order counts once, whatever database transactions are open.',
    test: 'integration/late-merchants.test.ts > a row that each reading brings again, as a database transaction is open, counts once',
    mechanism: 'src/core/work/profiles/late-merchants.ts',
  },
  'replaced-copies': {
    says: 'A worker keeps no copy of a profile that was replaced, however long the worker runs.',
    test: 'unit/core/work/profile-memory.test.ts > copies in memory that were replaced take no memory, also while no copy has to give way',
    mechanism: 'src/core/work/profiles/profile-memory.ts',
  },
  'mature-labels': {
    says: 'Rates of fraud end where the labels of transactions count as complete.',
    shown: 'RISK_LABEL_MATURITY_DAYS',
    test: 'property/profile/history.test.ts > fold equals the SQL definition > shuffled, late and repeated arrivals',
    mechanism: 'src/core/profile/merchant-features.ts',
  },
  'frozen-vectors': {
    says: 'Features of known histories keep their digests.',
    test: 'golden/features.test.ts > %s',
    mechanism: 'src/core/profile/account-features.ts',
  },
  'expressions-are-data': {
    says: 'A rule of people is an expression that is checked, bounded and never run as code.',
    test: 'unit/core/score/rules/expression/bad-input.test.ts > an expression is refused that has %s',
    mechanism: 'src/core/score/rules/expression/check-expression.ts',
  },
  'canary-accounts': {
    says: 'A canary keeps the accounts that it has when its share grows.',
    test: 'unit/core/score/rollout/bucket.test.ts > keeps whoever is in it when it grows',
    mechanism: 'src/core/score/rollout/in-force.ts',
  },
  'kafka-log': {
    says: 'A corridor whose log is Kafka is scored from Kafka, published there, and committed behind its scores.',
    shown: 'KAFKA_URL',
    test: 'integration/kafka.long.test.ts > scores what Kafka delivers, publishes it there, and commits behind the scores',
    mechanism: 'src/core/stream/kafka/settle.ts',
  },
  'both-logs': {
    says: 'What both logs deliver is scored once, and the two are compared.',
    shown: 'GET /v1/corridors/{id}/logs, risk corridors logs',
    test: 'integration/kafka.long.test.ts > scores once what both logs deliver, and finds that they deliver the same',
    mechanism: 'src/core/stream/kafka/both-ends.ts',
  },
  'rows-end-by-age': {
    says: 'Reports of the watch and opinions of shadows end by their age, however many there are.',
    shown: 'RISK_WATCH_RETENTION_DAYS, RISK_SHADOW_RETENTION_DAYS',
    test: 'integration/retention.test.ts > reports, opinions of shadows and checks of models end by age, however many',
    mechanism: 'src/rooms/models/room.ts',
  },
  'model-checks-stay': {
    says: 'Postgres refuses to remove or to change the record of a model check of the last 30 days.',
    shown: 'RISK_MODEL_CHECK_RETENTION_DAYS',
    test: 'integration/retention.test.ts > Postgres refuses to remove or to change the record of a model check of the last 30 days',
    mechanism: 'sql/0001_market.sql',
  },
  'letters-end-by-age': {
    says: 'A dead letter ends after its replay or purge, where something else says what became of its transaction.',
    shown: 'RISK_DEAD_LETTER_RETENTION_DAYS',
    test: 'integration/retention.test.ts > a dead letter ends after its replay or purge, where something else says what became of its transaction',
    mechanism: 'src/core/store/tables.ts',
  },
  'closed-work-ends-by-age': {
    says: 'Closed cases and deliveries of webhooks end by their age, and open cases stay.',
    shown: 'RISK_REVIEW_RETENTION_DAYS, RISK_WEBHOOK_RETENTION_DAYS',
    test: 'integration/retention.test.ts > closed cases and deliveries end by age, and open cases stay',
    mechanism: 'src/rooms/review/room.ts',
  },
};
