/**
 * Every metric of the engine: name, help, unit in the suffix, labels. One registry a worker, or an API and each of its markets,
 * made by its composition root and handed down; no module keeps one of its own.
 */
import {
  createHttpDuration,
  createMakers,
  createProcessRegistry,
  createRegistry,
  HTTP_BUCKETS_SECONDS,
  type OwnLabels,
} from './make-metrics.ts';
import { createModelMetrics, createWatchMetrics } from './model-metrics.ts';

const LATENCY_BUCKETS_SECONDS = [
  0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 0.75, 0.8, 1, 2, 5, 10, 30, 60, 120, 300,
];
const DAY_SECONDS = 24 * 60 * 60;
const LABEL_DELAY_BUCKETS_SECONDS = [
  0.25, 1, 2, 3, 5, 7, 10, 14, 21, 30, 45, 60, 90, 120, 180, 365,
].map((days) => days * DAY_SECONDS);

export type Metrics = ReturnType<typeof createMetrics>;

/** Metrics of an API apart from its markets, and of a trainer. */
export function createProcessMetrics(labels: OwnLabels = { role: 'api' }) {
  const registry = createProcessRegistry(labels);
  return { registry, httpDuration: createHttpDuration(createMakers(registry)) };
}

/** Metrics of one of the markets that an API serves. */
export const createMarketMetrics = (market: string) =>
  createMetrics(createRegistry({ role: 'api', market }));

/** Metrics of a worker. */
export const createWorkerMetrics = (market: string) =>
  createMetrics(createProcessRegistry({ role: 'worker', market }));

// biome-ignore lint/complexity/noExcessiveLinesPerFunction: a table of metrics, one a line group; splitting it would hide one
export function createMetrics(registry = createProcessRegistry()) {
  const make = createMakers(registry);
  const { counter, gauge, histogram } = make;
  return {
    registry,
    make,
    /** When a key of the market last read the registry. */
    lastScrape: { atMs: Number.NEGATIVE_INFINITY },
    httpDuration: createHttpDuration(make),
    accepted: counter(
      'risk_transactions_accepted_total',
      'Transactions stored for the first time.',
      ['corridor'],
    ),
    duplicates: counter(
      'risk_transactions_duplicate_total',
      'Transactions answered from an earlier acceptance.',
    ),
    labels: counter('risk_labels_accepted_total', 'Labels stored for the first time.', ['label']),
    labelDelay: histogram(
      'risk_label_delay_seconds',
      'From the created_at of a transaction to the labelled_at of its label.',
      LABEL_DELAY_BUCKETS_SECONDS,
      ['label'],
    ),
    appendFailures: counter(
      'risk_stream_append_failures_total',
      'Batches left to the reconciler, by reason.',
      ['reason'],
    ),
    reconciled: counter(
      'risk_transactions_reconciled_total',
      'Transactions appended by the reconciler.',
    ),
    keyBytes: gauge(
      'risk_idempotency_bytes',
      'Size of idempotency_keys without indexes; 0 in a worker that does not lead.',
    ),
    keySlicesUnfiltered: gauge(
      'risk_idempotency_slices_unfiltered',
      'Sealed slices without a filter here: every claim looks its keys up in them.',
    ),
    keyFilterBytes: gauge(
      'risk_idempotency_filter_bytes',
      "Memory of an API's filters of stored keys, within RISK_KEY_FILTER_MB; 0 in a worker.",
    ),
    kafkaLag: gauge(
      'risk_kafka_lag_transactions',
      'Transactions in Kafka that workers have not done; an estimate in a long backlog.',
      ['corridor'],
    ),
    kafkaTrimmed: gauge(
      'risk_kafka_trimmed_partitions',
      'Partitions of which retention removed entries that workers had not done.',
      ['corridor'],
    ),
    scored: counter('risk_transactions_scored_total', 'Scores stored for the first time.', [
      'corridor',
      'verdict',
    ]),
    redelivered: counter(
      'risk_transactions_redelivered_total',
      'Deliveries whose score was already stored.',
    ),
    refused: counter(
      'risk_transactions_refused_total',
      'Transactions that an API process has refused, as their scope is stopped, frozen or over a limit, by corridor.',
      ['corridor', 'problem'],
    ),
    onHold: counter(
      'risk_transactions_on_hold_total',
      'Deliveries whose score was not stored, as a control holds the scores of the corridor.',
      ['corridor'],
    ),
    scoreLatency: histogram(
      'risk_score_latency_seconds',
      'Time from the acceptance of a transaction to its stored score.',
      LATENCY_BUCKETS_SECONDS,
      ['corridor'],
    ),
    profileAge: histogram(
      'risk_profile_age_seconds',
      'Freshness of profiles: time from their reading to the stored scores of a batch.',
      LATENCY_BUCKETS_SECONDS,
      ['corridor'],
    ),
    deadLetters: counter('risk_dead_letters_total', 'Entries given up, by error code.', [
      'corridor',
      'code',
    ]),
    unreadEntries: counter(
      'risk_unread_entries_total',
      'Entries of a version that the worker does not read, and leaves to others.',
      ['corridor'],
    ),
    retries: counter('risk_retries_total', 'Attempts that will be tried again.', ['code']),
    claimed: counter(
      'risk_entries_claimed_total',
      'Stale entries taken over from another consumer.',
    ),
    pauses: counter('risk_worker_pauses_total', 'Batches held as a dependency failed.', ['code']),
    batchDuration: histogram(
      'risk_batch_duration_seconds',
      'Duration of a batch, by stage.',
      HTTP_BUCKETS_SECONDS,
      ['stage'],
    ),
    lastPoll: gauge(
      'risk_reader_last_poll_timestamp_seconds',
      'Time at which Redis last answered a read of a worker.',
    ),
    lagTransactions: gauge(
      'risk_stream_lag_transactions',
      'Transactions not yet delivered, by Streams or by Kafka.',
      ['corridor', 'shard'],
    ),
    lagSeconds: gauge(
      'risk_stream_lag_seconds',
      'Age of the oldest entry of Streams or of Kafka that is not yet acknowledged.',
      ['corridor', 'shard'],
    ),
    pendingTransactions: gauge(
      'risk_stream_pending_transactions',
      'Transactions delivered and not yet acknowledged.',
      ['corridor', 'shard'],
    ),
    retriesDue: gauge('risk_retries_waiting', 'Entries waiting for their next attempt.', [
      'corridor',
      'shard',
    ]),
    outboxRows: gauge('risk_outbox_rows', 'Rows of an outbox, up to 1,000.', ['topic']),
    outboxAge: gauge(
      'risk_outbox_oldest_seconds',
      'Age of the oldest row of an outbox; 0 without one.',
      ['topic'],
    ),
    cacheHits: counter(
      'risk_cache_hits_total',
      'Reads that the tier of a cache answered; one that shared the load of another counts.',
      ['cache', 'tier'],
    ),
    cacheMisses: counter(
      'risk_cache_misses_total',
      'Reads that the tier of a cache did not answer.',
      ['cache', 'tier'],
    ),
    profileCopiesBytes: gauge(
      'risk_profile_copies_bytes',
      "Memory that a worker's copies of profiles (L1) take, up to 21 MiB for accounts, 40 for merchants, 2 for devices and 8 for networks of addresses.",
      ['party'],
    ),
    profileRebuilds: counter(
      'risk_profile_rebuilds_total',
      'Profiles rebuilt from Postgres, missing or too short to reach a transaction; and late transactions, scored without a profile.',
      ['party', 'reason'],
    ),
    profileRecordsMerged: counter(
      'risk_profile_items_merged_total',
      'Items of other workers, merged into profiles in memory.',
      ['party'],
    ),
    profileInstalls: counter(
      'risk_profile_installs_total',
      'Snapshots sent for logs: installed, refused (another worker was first), dropped, failed.',
      ['outcome'],
    ),
    profileSnapshots: counter(
      'risk_profile_snapshots_total',
      'Snapshots of profiles for Postgres: stored, dropped (too many waited), failed.',
      ['party', 'outcome'],
    ),
    eventBytes: gauge(
      'risk_event_bytes',
      'Memory of Redis that events and copies of dead letters take, over all streams.',
      ['kind'],
    ),
    eventBytesDropped: counter(
      'risk_event_bytes_dropped_total',
      'Bytes of events and of copies of dead letters dropped for want of room.',
      ['kind'],
    ),
    unpublished: counter(
      'risk_scores_unpublished_total',
      'Scores settled without an event, as Redis had no room for it.',
    ),
    ruleSetRollbacks: counter(
      'risk_rule_set_rollbacks_total',
      'Rule sets that the engine rolled back.',
      ['corridor', 'rule_set'],
    ),
    ruleFailures: counter(
      'risk_rule_failures_total',
      'Decisions in which a rule threw, so that it did not count.',
      ['rule_set', 'rule'],
    ),
    rowsPurged: counter('risk_purged_rows_total', 'Rows removed after their retention.', ['table']),
    shadowBatchesLost: counter(
      'risk_shadow_batches_lost_total',
      "Batches whose shadows' opinions could not be stored.",
    ),
    ...createModelMetrics(make),
    ...createWatchMetrics(make),
    breakerState: gauge('risk_breaker_state', 'Circuit breakers: 0 closed, 1 half-open, 2 open.', [
      'breaker',
    ]),
    breakerOpened: counter('risk_breaker_opened_total', 'Openings of a circuit breaker.', [
      'breaker',
    ]),
    degradation: gauge('risk_degradation_level', 'Degradation level of this process, 0 to 4.'),
    corridorDegradation: gauge(
      'risk_corridor_degradation_level',
      'Degradation level of a corridor as this process sees it, 0 to 4.',
      ['corridor'],
    ),
    requestsShed: counter(
      'risk_http_requests_shed_total',
      'Requests refused before their work began, by reason.',
      ['reason'],
    ),
    replicaLag: gauge(
      'risk_replica_lag_seconds',
      'Each replica holds all data older than this; an absent primary adds no lag.',
    ),
    reads: counter('risk_reads_total', 'Reads by database and reason.', ['database', 'why']),
    requestsInFlight: gauge(
      'risk_http_requests_in_flight',
      'Requests that an API process has admitted and not answered.',
    ),
    databaseConnectionsMax: gauge('risk_database_connections_max', 'Size of the pool.'),
    databaseConnections: gauge('risk_database_connections', 'Connections of the pool by state.', [
      'state',
    ]),
  };
}

/** Connections of a pool, as it counts them. */
export function reportConnections(
  {
    databaseConnections,
    databaseConnectionsMax,
  }: Pick<Metrics, 'databaseConnections' | 'databaseConnectionsMax'>,
  { total, idle, waiting, max }: { total: number; idle: number; waiting: number; max: number },
): void {
  databaseConnectionsMax.set(max);
  databaseConnections.set({ state: 'busy' }, total - idle);
  databaseConnections.set({ state: 'idle' }, idle);
  databaseConnections.set({ state: 'waiting' }, waiting);
}
