/** Takes units of accounts, devices and addresses in Redis: a call a request, as all keys share a slot. */
import type { RedisClient } from '../../kit/redis/connection.ts';
import type { Rate } from '../domain/control-kinds.ts';
import { limitKey, partyKey } from './keys.ts';
import { loadScript, runScript } from './scripts.ts';

type PartyLimit = Rate & {
  readonly scope: string;
  /** The party of each input; undefined where the input names none. */
  readonly parties: readonly (string | undefined)[];
};

/** An input that a party has no unit for. */
type Lacking = {
  readonly input: number;
  readonly limit: number;
  /** The part of the unit that is missing. */
  readonly missing: number;
};

const script = loadScript('take-parties-n');

export type QuotaRequest = Rate & {
  readonly kind: string;
  readonly scope: string;
  /** Nothing is taken where fewer are left. */
  readonly need: number;
  readonly want: number;
  /** Units of an earlier request that were not used. */
  readonly back: number;
};

export type Quota = { readonly taken: number; readonly free: number };

const limitScript = loadScript('take-quota-1');

/**
 * Takes a unit of each party of each input.
 * @param isEach whether an input is refused alone; otherwise nothing is taken where one is
 * Throws a Failure
 */
export async function takeUnits(
  redis: RedisClient,
  market: string,
  limits: readonly PartyLimit[],
  isEach: boolean,
): Promise<Lacking[]> {
  const keys: string[] = [];
  const limitOf: number[] = [];
  const inputs: number[][] = limits[0]?.parties.map(() => []) ?? [];
  const paces = limits.map(({ scope, ratePerSecond, burst, parties }, limit) => {
    const numbers = new Map<string, number>();
    for (const [input, party] of parties.entries()) {
      if (party === undefined) continue;
      if (!numbers.has(party)) {
        numbers.set(party, keys.push(partyKey(market, scope, party)));
        limitOf.push(limit);
      }
      inputs[input]?.push(numbers.get(party) ?? 0);
    }
    return [ratePerSecond, burst, numbers.size];
  });
  if (keys.length === 0) return [];
  const args = [isEach ? 1 : 0, JSON.stringify(paces), JSON.stringify(inputs)];
  const reply = await runScript(redis, script, { keys, args });
  return (reply as [input: number, key: number, missing: string][]).map(
    ([input, key, missing]) => ({
      input: input - 1,
      limit: limitOf[key - 1] ?? 0,
      missing: Number(missing),
    }),
  );
}

/** Takes quota of a limit in Redis, which all API processes of a market share. Throws a Failure. */
export async function takeQuota(
  redis: RedisClient,
  market: string,
  { kind, scope, ratePerSecond, burst, need, want, back }: QuotaRequest,
): Promise<Quota> {
  const keys = [limitKey(market, kind, scope)];
  const args = [ratePerSecond, burst, need, want, back];
  const reply = await runScript(redis, limitScript, { keys, args });
  const [taken, free] = reply as [number, string];
  return { taken, free: Number(free) };
}
