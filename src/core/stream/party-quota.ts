/** Quota of single accounts, devices and addresses in Redis: nothing is leased, as a party is seldom met twice in a slice. */
import type { RedisClient } from '../../kit/redis/connection.ts';
import type { Rate } from '../domain/limit.ts';
import { limitKey } from './keys.ts';
import { loadScript, runScript } from './scripts.ts';

export type PartyNeed = Rate & {
  /** `account:ID`, `device:ID` or `address:IP`. */
  readonly party: string;
  readonly n: number;
};

const script = loadScript('take-party-quota-1');

/**
 * Takes the units of all parties in one call, whatever the number of parties.
 * @param isAllOrNone otherwise each party gives the units that it has
 * @returns the units of those that have fewer than needed, by their index. Throws a Failure
 */
export async function takePartyQuota(
  redis: RedisClient,
  market: string,
  needs: readonly PartyNeed[],
  isAllOrNone: boolean,
): Promise<ReadonlyMap<number, number>> {
  const keys = needs.map(({ party }) => limitKey(market, 'transactions', party));
  const args = needs.flatMap(({ ratePerSecond, burst, n }) => [ratePerSecond, burst, n]);
  const reply = await runScript(redis, script, { keys, args: [isAllOrNone ? 1 : 0, ...args] });
  const short = reply as (number | string)[];
  return new Map(
    Array.from({ length: short.length / 2 }, (_, at) => [
      Number(short[2 * at]) - 1,
      Number(short[2 * at + 1]),
    ]),
  );
}
