/** Starts an API with a short timeout of Redis, and reads the outcomes of the transactions it accepted. */
import { expect } from 'vitest';
import { runRisk } from './run-risk.ts';
import { type RunningApi, spawnRunningApi, startRunningApi } from './running-api.ts';
import { readEntries } from './stream-entries.ts';
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

/** Waits until each row is as old as rows that the reconciler looks for, then runs `risk reconcile` until none is left. */
export async function reconcile(api: RunningApi): Promise<void> {
  const young = `select from open_rows where opened_at > now() - ${AGE_MS} * interval '1 ms'`;
  const isAged = async () => (await api.testDatabase.sql(young)).length === 0;
  await waitUntil(isAged, 20_000, 'all rows to be of age');
  await waitUntil(
    async () => {
      const { code, stderr } = await runRisk(['reconcile', '--json'], {
        DATABASE_URL: api.testDatabase.url,
        REDIS_URL: api.redisService.url,
        RISK_RECONCILE_AGE_MS: String(AGE_MS),
      });
      expect([code, stderr]).toEqual([0, '']);
      const left = await api.testDatabase.sql('select from open_rows where is_left');
      return left.length === 0;
    },
    20_000,
    'all rows to be appended',
  );
}

export async function streamedIds(api: RunningApi): Promise<string[]> {
  const payloads = await readEntries(api.redis, stream);
  return payloads.map(({ transaction }) => transaction.transactionId);
}
