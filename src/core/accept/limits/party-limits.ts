/**
 * Limits of each account, device and address by itself: off without a row, and a call of Redis a request with one. All processes
 * share them, as they are taken in Redis by its own time.
 */
import type { Guard } from '../../../kit/breakers/breaker.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { type Limit, type PartyField, partyFields } from '../../domain/limit.ts';
import { takeUnits } from '../../stream/party-quota.ts';
import { type Exceeded, exceededBy } from './exceeded.ts';
import { inTime } from './in-time.ts';

export type PartyExceeded = Exceeded & { readonly field: PartyField };
/** A transaction as far as its parties are concerned. */
type Parties = { readonly [Field in PartyField]?: string | undefined };

/**
 * Takes a unit of each party of each input. Where Redis is away or full nothing is refused: nobody knows what was let through.
 * @param isEach whether an input is refused alone; otherwise nothing is taken where one is
 * @returns the inputs that are over a limit, by index
 */
export type TakeParties = (
  inputs: readonly Parties[],
  isEach: boolean,
) => Promise<ReadonlyMap<number, PartyExceeded>>;

export function createPartyLimits(
  current: () => readonly Limit[],
  { redis, market, run }: { redis: RedisClient; market: string; run: Guard },
): TakeParties {
  return async (inputs, isEach) => {
    const limits = current().flatMap((limit) => {
      const field = partyFields.get(limit.scope);
      if (field === undefined) return [];
      return { ...limit, field, parties: inputs.map((input) => input[field]) };
    });
    if (limits.length === 0) return new Map();
    const lacking = (await inTime(run(() => takeUnits(redis, market, limits, isEach)))) ?? [];
    return new Map(
      lacking.flatMap(({ input, limit, missing }) => {
        const one = limits[limit];
        if (one === undefined) return [];
        const { field, scope, parties, ratePerSecond } = one;
        const n = isEach ? 1 : parties.filter((party) => party === parties[input]).length;
        const need = { kind: 'transactions', scope, n };
        const rest = { ...one, remaining: () => 0 };
        return [[input, { field, ...exceededBy(need, rest, missing / ratePerSecond) }] as const];
      }),
    );
  };
}
