/** Starts an API with a short timeout of Redis, and reads the outcomes of the transactions it accepted. */
import { expect } from 'vitest';
import { runRisk } from './run-risk.ts';
import { type RunningApi, spawnRunningApi, startRunningApi } from './running-api.ts';
import { readEntries } from './stream-entries.ts';
import { count } from './submit.ts';
import { waitUntil } from './wait-until.ts';

const AGE_MS = 500;
const stream = '{market_0:US-EG:0}:transactions';

const SETTINGS = { RISK_REDIS_TIMEOUT_MS: '500' };
type Settings = Readonly<Record<string, string>>;

export const open = (environment: Settings = {}) =>
  startRunningApi({ ...SETTINGS, ...environment });
/** An API that a test ends. */
export const openProcess = (environment: Settings) =>
  spawnRunningApi({ ...SETTINGS, ...environment });

/** Runs `risk reconcile` until no batch is open, once the batches are old enough. */
export async function reconcile(api: RunningApi): Promise<void> {
  await waitUntil(
    async () => {
      const { code, stderr } = await runRisk(['reconcile', '--json'], {
        DATABASE_URL: api.testDatabase.url,
        REDIS_URL: api.redisService.url,
        RISK_RECONCILE_AGE_MS: String(AGE_MS),
      });
      expect([code, stderr]).toEqual([0, '']);
      return (await count(api, 'ingest_batches')) === 0;
    },
    20_000,
    'all batches to be closed',
  );
}

export async function streamedIds(api: RunningApi): Promise<string[]> {
  const payloads = await readEntries(api.redis, stream);
  return payloads.map(({ transaction }) => transaction.transactionId);
}
