/** Quota of a limit in Redis, which all API processes of a market share. */
import type { RedisClient } from '../../kit/redis/connection.ts';
import { limitKey } from './keys.ts';
import { loadScript, runScript } from './scripts.ts';

export type QuotaRequest = {
  readonly kind: string;
  readonly scope: string;
  readonly ratePerSecond: number;
  readonly burst: number;
  /** Nothing is taken where fewer are left. */
  readonly need: number;
  readonly want: number;
  /** Units of an earlier request that were not used. */
  readonly back: number;
};

export type Quota = { readonly taken: number; readonly free: number };

const script = loadScript('take-quota-1');

/** Throws a Failure. */
export async function takeQuota(
  redis: RedisClient,
  market: string,
  { kind, scope, ratePerSecond, burst, need, want, back }: QuotaRequest,
): Promise<Quota> {
  const keys = [limitKey(market, kind, scope)];
  const args = [ratePerSecond, burst, need, want, back];
  const reply = await runScript(redis, script, { keys, args });
  const [taken, free] = reply as [number, string];
  return { taken, free: Number(free) };
}
