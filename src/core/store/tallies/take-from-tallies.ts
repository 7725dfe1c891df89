/** Takes one transaction out of the tallies that count it. */
import { dayOf, hourOf } from '../../../kit/words/range.ts';
import { subtractDecimals } from '../../domain/decimal.ts';
import { comparePositions, type MerchantPast, type MerchantTally } from '../../domain/history.ts';
import type { Transaction } from '../../domain/transaction.ts';

/** Tallies count what lies at or before the horizon and from `knownFromMs` on; all else is in none of them. */
export function takeFromTallies(
  tallies: readonly MerchantTally[],
  { horizon, knownFromMs }: Pick<MerchantPast, 'horizon' | 'knownFromMs'>,
  transaction: Transaction,
): readonly MerchantTally[] {
  const { createdAtMs, currency, amount } = transaction;
  if (horizon === null || comparePositions(transaction, horizon) > 0) return tallies;
  if (createdAtMs < knownFromMs) return tallies;
  return tallies.flatMap((tally) => {
    const bucketMs = tally.daily ? dayOf(createdAtMs) : hourOf(createdAtMs);
    if (tally.bucketMs !== bucketMs || tally.currency !== currency) return tally;
    if (tally.count === 1) return [];
    return { ...tally, count: tally.count - 1, sum: subtractDecimals(tally.sum, amount) };
  });
}
