/** Limits of each account, device and address by itself: off without a row, and one call of Redis a request with one. */
import type { Guard } from '../../../kit/breakers/breaker.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { EACH, type Limit, type PartyField, partyFields } from '../../domain/limit.ts';
import { type PartyNeed, takePartyQuota } from '../../stream/party-quota.ts';
import { type Exceeded, exceededBy } from './exceeded.ts';
import { inTime } from './in-time.ts';

/** A transaction as far as its parties are concerned. */
export type Parties = { readonly [Field in PartyField]?: string | undefined };

export type PartyExceeded = Exceeded & { readonly field: PartyField };

/**
 * Takes a unit of each party of each input. Where Redis is away nothing is refused: no process knows what another has let through.
 * @param isEach whether an input is refused alone; otherwise nothing is taken where one is
 * @returns the inputs that are over a limit, by index
 */
export type TakeParties = (
  inputs: readonly Parties[],
  isEach: boolean,
) => Promise<ReadonlyMap<number, PartyExceeded>>;

const NONE: ReadonlyMap<number, PartyExceeded> = new Map();

type Counted = PartyNeed & { readonly limit: Limit; readonly field: PartyField };

export function createPartyLimits(
  current: () => readonly Limit[],
  { redis, market, run }: { redis: RedisClient; market: string; run: Guard },
): TakeParties {
  return async (inputs, isEach) => {
    const counted = count(current(), inputs);
    if (counted.size === 0) return NONE;
    const needs = [...counted.values()];
    const short = await inTime(run(() => takePartyQuota(redis, market, needs, !isEach)));
    if (short === undefined || short.size === 0) return NONE;
    const left = new Map([...short].map(([at, units]) => [needs[at]?.party, units]));
    return refused(inputs, counted, left, isEach);
  };
}

/** Units that are needed, by party. */
function count(limits: readonly Limit[], inputs: readonly Parties[]): Map<string, Counted> {
  const counted = new Map<string, Counted>();
  for (const limit of limits) {
    const field = partyFields.get(limit.scope);
    if (field === undefined) continue;
    for (const input of inputs) {
      const party = partyOf(limit, input[field]);
      if (party === undefined) continue;
      const n = (counted.get(party)?.n ?? 0) + 1;
      const { ratePerSecond, burst } = limit;
      counted.set(party, { party, ratePerSecond, burst, n, limit, field });
    }
  }
  return counted;
}

const partyOf = ({ scope }: Limit, id: string | undefined) =>
  id === undefined ? undefined : `${scope.slice(EACH.length)}:${id}`;

/** The first inputs of a party have its units. */
function refused(
  inputs: readonly Parties[],
  counted: ReadonlyMap<string, Counted>,
  left: Map<string | undefined, number>,
  isEach: boolean,
): Map<number, PartyExceeded> {
  const limits = new Map([...counted.values()].map(({ limit, field }) => [limit, field]));
  const over = new Map<number, PartyExceeded>();
  for (const [index, input] of inputs.entries()) {
    for (const [limit, field] of limits) {
      const party = partyOf(limit, input[field]);
      const units = left.get(party);
      if (party === undefined || units === undefined) continue;
      left.set(party, units - 1);
      if (units >= 1 || over.has(index)) continue;
      const need = counted.get(party);
      const missing = 1 - Math.max(0, units);
      over.set(index, {
        field,
        ...exceededBy(
          { kind: 'transactions', scope: limit.scope, n: isEach ? 1 : (need?.n ?? 1) },
          { ...limit, remaining: () => 0 },
          missing / limit.ratePerSecond,
        ),
      });
    }
  }
  return over;
}
