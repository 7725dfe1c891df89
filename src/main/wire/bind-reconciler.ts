/**
 * Binds the reconciler and the slices of idempotency keys to their adapters: for `risk reconcile`, and as
 * duties of the worker that leads.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { keepKeySlices } from '../../repair/keep-key-slices.ts';
import { createProveStreams } from '../../repair/prove-streams.ts';
import { createReconciler, type Reconciler } from '../../repair/reconcile.ts';
import type { Config } from '../../runtime/config.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import { listCorridors } from '../../store/corridors.ts';
import {
  deleteIngestBatches,
  listOpenBatches,
  narrowIngestBatch,
  takeOverIngestBatches,
} from '../../store/ingest-batches.ts';
import {
  dropKeySlice,
  listKeySlices,
  type Slice,
  sealKeySlice,
} from '../../store/key-slice-rows.ts';
import type { Leadership, Writes } from '../../store/leadership.ts';
import { readMoment } from '../../store/moment.ts';
import type { Database } from '../../store/pool.ts';
import { readReconcileState, writeReconcileState } from '../../store/reconcile-state.ts';
import { readStreamProofs, writeStreamProofs } from '../../store/stream-proofs.ts';
import {
  countReceived,
  listReplayed,
  listUnscoredReceived,
  loadUnscored,
  recoverUnreadable,
} from '../../store/unscored.ts';
import type { RedisClient } from '../../stream/connection.ts';
import { createContinuity } from '../../stream/continuity.ts';
import { readIdentity } from '../../stream/identity.ts';
import { SHARDS_MAX, streamsOf } from '../../stream/keys.ts';
import { measureHeld } from '../../stream/lag.ts';
import { createProducer, createStreamChoice } from '../../stream/producer.ts';
import { readWaiting } from '../../stream/waiting.ts';

const RECONCILE_EVERY_MS = 1000;
/**
 * The interval while streams are full or a recovery is under way, both of which one worker brings to an end.
 */
const OWING_EVERY_MS = 100;
/**
 * How full the reconciler fills a stream, by how full requests fill it: owed transactions get space while
 * requests take all that is freed, and have priority until nothing is owed.
 */
const OWED_ROOM = 1.1;
/** At 10,000 keys a second a slice is full after three minutes. */
const KEEP_SLICES_EVERY_MS = 10_000;

type LeaderDuty = {
  readonly name: string;
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

type IngestDutyMetrics = Pick<Metrics, 'reconciled' | 'keySlices' | 'keyBytes'>;

/** Duties of a worker that do nothing while another worker leads. */
export function bindIngestDuties(
  config: Config,
  database: Database,
  redis: RedisClient,
  leadership: Leadership,
  { reconciled, keySlices, keyBytes }: IngestDutyMetrics,
): LeaderDuty[] {
  const [reconcile, keys] = [leadership.of('reconcile'), leadership.of('keys')];
  const count = (appended: number) => reconciled.inc(appended);
  const reconciler = bindReconciler(config, database, redis, count, reconcile.writes);
  const slices = {
    list: () => listKeySlices(database.query),
    seal: (slice: number) => sealKeySlice(keys.writes, slice),
    drop: (slice: number, before: Date) => dropKeySlice(keys.writes, slice, before),
    retentionDays: config.RISK_IDEMPOTENCY_RETENTION_DAYS,
    now: Date.now,
    report: (standing: readonly Slice[]) => {
      keySlices.set(standing.length);
      keyBytes.set(standing.reduce((sum, { bytes }) => sum + bytes, 0));
    },
  };
  return [
    {
      name: 'reconcile',
      everyMs: RECONCILE_EVERY_MS,
      run: async (signal) => {
        await reconcile.run(() => runWhileOwing(reconciler, signal));
      },
    },
    {
      name: 'key-slices',
      everyMs: KEEP_SLICES_EVERY_MS,
      run: async (signal) => {
        const leads = await keys.run(() => keepKeySlices(slices, signal));
        if (leads) return;
        // The worker that leads reports these gauges; what this worker saw last is out of date.
        keySlices.set(0);
        keyBytes.set(0);
      },
    },
  ];
}

/** Keeps the lead while there is work, as the reconciler's knowledge of it is in this process. */
async function runWhileOwing(reconciler: Reconciler, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { full, recovering } = await reconciler.run(signal);
    if (signal.aborted || !(full || recovering)) return;
    await delay(OWING_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * The reconciler of a market, bound to its adapters; workers use it too.
 * @param writes those of the leader, which name its epoch
 */
export function bindReconciler(
  config: Config,
  database: Database,
  redis: RedisClient,
  count: (appended: number) => void,
  writes: Writes = database,
): Reconciler {
  const { RISK_MARKET: market, RISK_SHARDS: shards } = config;
  const transactionsMax = Math.ceil(config.RISK_STREAM_ENTRIES_MAX * OWED_ROOM);
  const producer = createProducer({ redis, market, shards, transactionsMax, passesFaults: true });
  const streamOf = createStreamChoice(market, shards);
  const listStreams = async (most: number) =>
    streamsOf(market, await listCorridors(database), most);
  return createReconciler({
    listOpenBatches: (before, after, max) => listOpenBatches(database, before, after, max),
    loadUnscored: (ids) => loadUnscored(database, ids),
    deleteBatches: (ids) => deleteIngestBatches(writes, ids, 'reconciler'),
    narrowBatch: (batchId, ids) => narrowIngestBatch(writes, batchId, ids, 'reconciler'),
    takeOver: (ids) => takeOverIngestBatches(writes, ids),
    countReceived: (span, max) => countReceived(database, span, max),
    listUnscoredReceived: (span) => listUnscoredReceived(database, span),
    listReplayed: (since, after, max) => listReplayed(database, since, after, max),
    readState: () => readReconcileState(database),
    writeState: (read, next) => writeReconcileState(writes, read, next),
    readMoment: () => readMoment(database),
    recoverUnreadable: () => recoverUnreadable(writes),
    append: producer.append,
    streamOf: (transaction) => streamOf(transaction).transactions,
    readStreams: async () => await measureHeld(redis, await listStreams(shards)),
    readIdentity: () => readIdentity(redis, market),
    proveStreams: createProveStreams({
      ...createContinuity(redis),
      listStreams: () => listStreams(SHARDS_MAX),
      isInUse: ({ shard }) => shard < shards,
      readProofs: () => readStreamProofs(database),
      writeProofs: (proofs) => writeStreamProofs(writes, proofs),
    }),
    readWaiting: async function* () {
      // Includes streams that are no longer appended to: what waits there would be appended a second time.
      for (const stream of await listStreams(SHARDS_MAX)) yield* readWaiting(redis, stream);
    },
    transactionsMax,
    batchAgeMs: config.RISK_RECONCILE_AGE_MS,
    count,
  });
}
