/**
 * Binds the reconciler and the slices of idempotency keys to their adapters: for `risk reconcile`, and as
 * duties of the worker that leads.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Config } from '../../kit/config/config.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Leadership, Writes } from '../../kit/duties/leadership.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import type { Slice } from '../store/idempotency-keys/key-slice-rows.ts';
import type { KafkaClients } from '../stream/kafka/clients.ts';
import { createReconciler, type Reconciler } from './reconcile.ts';
import { tendKeySlices } from './tend-key-slices.ts';

const RECONCILE_EVERY_MS = 1000;
/** The interval while streams are full, or rows are lost. */
const OWING_EVERY_MS = 100;
/** At 10,000 keys a second a slice is full after three minutes. */
const KEEP_SLICES_EVERY_MS = 10_000;

type LeaderDuty = {
  readonly name: string;
  readonly everyMs: number;
  readonly run: (signal: AbortSignal) => Promise<void>;
};

type IngestDutyMetrics = Pick<Metrics, 'reconciled' | 'keyBytes'>;

/** Duties of a worker that do nothing while another worker leads. */
export function bindIngestDuties(
  config: Config,
  database: Database,
  redis: RedisClient,
  leadership: Leadership,
  { reconciled, keyBytes }: IngestDutyMetrics,
  kafka?: KafkaClients,
): LeaderDuty[] {
  const lead = leadership.of('repair');
  const count = (appended: number) => reconciled.inc(appended);
  const reconciler = bindReconciler(config, database, redis, count, lead.writes, kafka);
  const report = (standing: readonly Slice[]) =>
    keyBytes.set(standing.reduce((sum, { bytes }) => sum + bytes, 0));
  const days = config.RISK_IDEMPOTENCY_RETENTION_DAYS;
  return [
    {
      name: 'reconcile',
      everyMs: RECONCILE_EVERY_MS,
      run: async (signal) => {
        await lead.run(() => runWhileOwing(reconciler, signal));
      },
    },
    {
      name: 'key-slices',
      everyMs: KEEP_SLICES_EVERY_MS,
      run: async (signal) => {
        const leads = await lead.run(() =>
          tendKeySlices(database, lead.writes, days, report, signal),
        );
        // The worker that leads reports the gauge; what this worker saw last is out of date.
        if (!leads) keyBytes.set(0);
      },
    },
  ];
}

/** Keeps the lead while there is work. */
async function runWhileOwing(reconciler: Reconciler, signal: AbortSignal): Promise<void> {
  for (;;) {
    const { full, lost, rows } = await reconciler.run(signal);
    if (signal.aborted || !(full || lost + rows > 0)) return;
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
  kafka?: KafkaClients,
): Reconciler {
  const { RISK_MARKET: name, RISK_RECONCILE_AGE_MS: ageMs } = config;
  const transactionsMax = config.RISK_STREAM_ENTRIES_MAX;
  const market = { name, database, writes, redis, kafka };
  return createReconciler(market, { transactionsMax, ageMs }, count);
}
