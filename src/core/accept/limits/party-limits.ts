/**
 * Limits of each account, device and address by itself: off without a row, and at most one call of Redis a request with one. They
 * hold over all processes, to a millisecond of the time of Redis and a hundredth of a unit.
 */
import type { Guard } from '../../../kit/breakers/breaker.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { type Limit, type PartyField, partyFields } from '../../domain/limit.ts';
import { type Exceeded, exceededBy } from './exceeded.ts';
import { inTime } from './in-time.ts';
import { createPartyCopy } from './party-copy.ts';
import { type Lacking, type Parties, packUnits } from './party-units.ts';

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

type FieldLimit = Limit & { readonly field: PartyField };

const NONE: ReadonlyMap<number, PartyExceeded> = new Map();

export function createPartyLimits(
  current: () => readonly Limit[],
  parts: { redis: RedisClient; market: string; run: Guard },
): TakeParties {
  const copy = createPartyCopy(parts);
  return async (inputs, isEach) => {
    const limits = current().flatMap((limit): FieldLimit[] => {
      const field = partyFields.get(limit.scope);
      return field === undefined ? [] : [{ ...limit, field }];
    });
    const isCounted = (input: Parties) => limits.some(({ field }) => input[field] !== undefined);
    if (!inputs.some(isCounted)) return NONE;
    const units = packUnits(limits, inputs, isEach);
    const quietMs = Math.max(...limits.map(quietMsOf));
    const lacking = await inTime(copy.take({ units, quietMs }));
    if (lacking === undefined || lacking.length === 0) return NONE;
    return refused(limits, inputs, lacking, isEach);
  };
}

const quietMsOf = ({ ratePerSecond, burst }: Limit) => Math.ceil((1000 * burst) / ratePerSecond);

function refused(
  limits: readonly FieldLimit[],
  inputs: readonly Parties[],
  lacking: readonly Lacking[],
  isEach: boolean,
): Map<number, PartyExceeded> {
  const over = new Map<number, PartyExceeded>();
  for (const [nth, limit] of limits.entries()) {
    const { field, scope, ratePerSecond } = limit;
    const counted = [...inputs.entries()].filter(([, input]) => input[field] !== undefined);
    for (const { unit, missing } of lacking.filter((one) => one.limit === nth)) {
      const [index = -1, input] = counted[unit] ?? [];
      if (over.has(index)) continue;
      const n = isEach ? 1 : inputs.filter((one) => one[field] === input?.[field]).length;
      const need = { kind: 'transactions', scope, n };
      const rest = { ...limit, remaining: () => 0 };
      over.set(index, { field, ...exceededBy(need, rest, missing / ratePerSecond) });
    }
  }
  return new Map([...over].sort(([one], [other]) => one - other));
}
