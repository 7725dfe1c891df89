/**
 * The mechanisms that `npm run chaos -- --mutations` takes out of a copy of the engine, one at a time, and the
 * scenario that must notice. A replacement that does not apply exactly once ends the run: the engine has
 * changed, and so must the mutant.
 */
import { REVIEW_MUTANTS } from './review-mutants.ts';
import { LOST_BY_DEATH } from './scenarios/failpoints.ts';
import { CLOSED_LATE } from './scenarios/frozen-leader.ts';
import { BY_ENDED, BY_UNTAKEN } from './scenarios/policy.ts';
import { EVENTS_LEFT } from './scenarios/redis-faults.ts';
import { GOOD_REFUSED } from './scenarios/slow-clients.ts';
import type { Mutant } from './support/mutant.ts';
import { UNANSWERED } from './support/refusals.ts';

const PROCESS_BATCH = 'src/core/work/score-batch.ts';
const CONCLUDE_BATCH = 'src/core/work/end-batch.ts';

export const MUTANTS: readonly Mutant[] = [
  {
    name: 'dedupe-key',
    what: 'idempotency keys are not unique any more',
    scenario: 'api-before-append',
    file: 'sql/0001_market.sql',
    find: ', constraint %I primary key (digest)',
    replace: ', constraint %I check (digest is not null)',
  },
  {
    name: 'score-conflict-clause',
    what: 'a score that is stored already is written again',
    scenario: 'worker-before-acknowledge',
    file: 'src/core/store/scores/scores.ts',
    find: 'on conflict (transaction_id, created_at) do nothing',
    replace:
      'on conflict (transaction_id, created_at) do update set scored_at = excluded.scored_at',
  },
  {
    name: 'acknowledge-after-commit',
    what: 'entries are acknowledged before their scores are stored',
    scenario: 'worker-after-read',
    file: PROCESS_BATCH,
    find: "  failpoint('worker-after-read');\n",
    replace:
      "  const { endEntries } = await import('./end-batch.ts');\n  await endEntries(worker, transactions.map((one) => decide(one, { kind: 'acknowledge', published: null })));\n  failpoint('worker-after-read');\n",
  },
  {
    name: 'reconciler',
    what: 'nobody appends what an API that died left behind',
    scenario: 'api-before-append',
    file: 'src/core/repair/reconcile.ts',
    find: 'const result = await feedRows(round);',
    replace: 'const result = { rows: 0, appended: 0, isFull: round === undefined };',
  },
  {
    name: 'open-row',
    what: 'the commit that accepts opens no rows',
    scenario: 'redis-wiped',
    file: 'src/core/store/transactions/transactions.ts',
    find: ", '(select at from stamp)')}\n       where",
    replace: ", '(select at from stamp)')}\n       where false and",
  },
  {
    name: 'recovery',
    what: 'a row that is nowhere in Redis is not brought back',
    scenario: 'redis-wiped',
    file: 'src/core/repair/walk-rows.ts',
    find: 'await store.setLeft(rowIds, true);',
    replace: 'void rowIds;',
  },
  {
    name: 'adoption',
    what: 'entries that no group would deliver are taken for waiting',
    scenario: 'groups-removed',
    file: 'src/core/repair/walk-rows.ts',
    find: 'await heads.adopt(streams);',
    replace: 'void streams;',
  },
  {
    name: 'profile-history',
    what: 'profiles are believed whichever server holds them',
    scenario: 'replica-promoted',
    file: 'src/core/stream/lua/of-history.lua',
    find: "if redis.call('GET', KEYS[#KEYS]) ~= history() then",
    replace: 'if false then',
  },
  {
    name: 'snapshot-rows',
    what: "a snapshot in Postgres is taken for the party's whole past",
    scenario: 'profiles-dropped',
    file: 'src/core/store/profiles/profile-snapshots.ts',
    find: 'and (t.inserted_xid >= s.folded_to) is true',
    replace: 'and false',
  },
  {
    name: 'snapshot-labels',
    what: 'a label voids no snapshot in Postgres',
    scenario: 'profiles-dropped',
    file: 'sql/0001_market.sql',
    find: 'create trigger void_snapshots after insert on labels for each row execute function void_snapshots();\n',
    replace: '',
  },
  {
    name: 'owner-check',
    what: 'a consumer decides about entries that are not its own any more',
    scenario: 'zombie-worker',
    file: 'src/core/stream/lua/settle-5.lua',
    find: 'return pending.err == nil and #pending == 1',
    replace: 'return true',
  },
  {
    name: 'profile-memory-of-ids',
    what: "an account's profile does not know which transactions it has taken in",
    scenario: 'repeated-delivery',
    file: 'src/core/profile/kinds.ts',
    find: 'if (!hasAt(list, end, key)) {',
    replace: 'if (end >= 0) {',
    also: [
      {
        file: 'src/core/profile/packed-list.ts',
        find: '  if (hasAt(list, index, key)) return;\n',
        replace: '',
      },
    ],
  },
  {
    name: 'dead-letter-row-before-acknowledge',
    what: 'entries of dead letters are acknowledged before their rows are stored',
    scenario: 'worker-between-dead-letter-and-acknowledge',
    bar: LOST_BY_DEATH,
    file: CONCLUDE_BATCH,
    find: '  const final = await commitDeadLetters(worker, decided, atMs);\n',
    replace: '  const final = decided;\n',
    also: [
      {
        file: CONCLUDE_BATCH,
        find: "  failpoint('worker-after-dead-letters');\n",
        replace: '',
      },
      {
        file: CONCLUDE_BATCH,
        find: '  const { failures, unpublished } = await worker.settle(settlements);\n',
        replace:
          "  const { failures, unpublished } = await worker.settle(settlements);\n  if (decided.some(({ outcome }) => outcome.kind === 'dead-letter')) {\n    worker.failpoint('worker-after-dead-letters');\n    await commitDeadLetters(worker, decided, atMs);\n  }\n",
      },
    ],
  },
  {
    name: 'breaker',
    what: 'no breaker opens, and nobody who waits for what hangs is answered',
    scenario: 'postgres-way-silent',
    bar: UNANSWERED,
    file: 'src/kit/breakers/breaker.ts',
    find: '    if (to === state) return;\n',
    replace: "    if (to === state || to === 'open') return;\n",
    also: [
      {
        file: 'src/kit/breakers/breaker.ts',
        find: '    if (isOut) breaker.trip();\n',
        replace: '',
      },
    ],
  },
  {
    name: 'leader-epoch',
    what: 'a leader writes without asking whether it has been replaced',
    scenario: 'frozen-leader',
    bar: CLOSED_LATE,
    file: 'src/kit/duties/leadership.ts',
    find: 'if (leads.length > 0) return',
    replace: 'if (epoch !== undefined) return',
  },
  {
    name: 'events-give-way',
    what: 'events and copies of dead letters stay where Redis runs out of memory',
    scenario: 'redis-full',
    bar: EVENTS_LEFT,
    file: 'src/core/stream/memory/bound-events.ts',
    find: 'planCuts(measured, budget)',
    replace: 'planCuts(measured, Number.POSITIVE_INFINITY)',
    also: [
      {
        file: 'src/core/stream/memory/bound-events.ts',
        find: 'eventBytesMax > 0 && !isCrowded',
        replace: 'eventBytesMax > 0',
      },
    ],
  },
  {
    name: 'unread-found',
    what: 'nobody looks for what an entry held that could not be read',
    scenario: 'spoilt-entries',
    file: 'src/core/repair/walk-rows.ts',
    find: 'await store.setLeft(rowIds, true);',
    replace: 'void rowIds;',
  },
  ...REVIEW_MUTANTS,
  {
    name: 'lent-places',
    what: 'a request whose body is still arriving keeps its place',
    scenario: 'slow-clients',
    bar: GOOD_REFUSED,
    file: 'src/kit/http/admission/shed.ts',
    find: '  admitted.ticket.lend();\n',
    replace: '',
    also: [
      // Without a check of what was lent, the slot would be taken twice, and held for a request that has gone.
      {
        file: 'src/kit/http/admission/shed.ts',
        find: 'admitted.ticket.takeBack(bytes);',
        replace: 'null;',
      },
    ],
  },
  {
    name: 'refuse-ended',
    what: 'scores are stored by a policy and by a night that are out of force',
    scenario: 'policy',
    bar: BY_ENDED,
    file: 'sql/0002_scorecards.sql',
    find: "if asked = '{}' then return true; end if;",
    replace: 'return true;',
  },
  {
    name: 'untaken-night',
    what: 'a night judges although nobody has taken it',
    scenario: 'policy',
    bar: BY_UNTAKEN,
    file: 'src/core/store/scorecards/scorecards.ts',
    find: '(is_taken or to_char',
    replace: '(true or to_char',
  },
];
