/** The parameters of a search as what its statements ask: a filter, and ranges of months. */
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { TRANSACTION_LIMITS } from '../../domain/transaction.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';
import { findKnownKeys } from '../idempotency-keys/idempotency-keys.ts';
import type { MonthRange } from '../partitions/month-slice.ts';
import type { SearchFilter } from './search-filter.ts';
import type { SearchQuestion } from './search-question.ts';

/** Without the idempotency key, whose transaction has to be looked up. */
export const toFilter = (asked: SearchQuestion, isScored: boolean): SearchFilter => ({
  ...asked,
  isScored,
  transaction_id: undefined,
});

/** Undefined where nothing can match: nobody has the idempotency key. */
export async function filterOf(
  { primary }: Databases,
  asked: SearchQuestion,
  isScored: boolean,
): Promise<SearchFilter | undefined> {
  const { client, idempotency_key: key } = asked;
  const filter = toFilter(asked, isScored);
  if (key === undefined || client === undefined) return filter;
  const [found] = await findKnownKeys(primary.query, client, [key]);
  return found && { ...filter, transaction_id: found.transactionId };
}

/** How much earlier than its receipt, by Postgres' clock, a transaction may be created, by its sender's: see createdAtAheadMsMax. */
const CLOCKS_APART_MS = 60 * 60 * 1000;
const AHEAD_MS = TRANSACTION_LIMITS.createdAtAheadMsMax + CLOCKS_APART_MS;

/**
 * Months within what is asked, in the order of the search. A transaction is scored after its receipt, and created at most
 * AHEAD_MS after it.
 */
export function rangesOf(
  months: readonly MonthRange[],
  { from = -Infinity, to = Infinity }: Pick<SearchQuestion, 'from' | 'to'>,
  filter: SearchFilter | undefined,
  { isDescending, nowMs }: { readonly isDescending: boolean; readonly nowMs: number },
): readonly MonthRange[] {
  const { received_to = Infinity, scored_to = Infinity, transaction_id = '' } = filter ?? {};
  const atMs = createdAtMsOf(transaction_id);
  const fromMs = Math.max(from, atMs ?? -Infinity);
  const knownMs = Math.min(received_to, scored_to, nowMs) + AHEAD_MS;
  const toMs = Math.min(to, knownMs, atMs === undefined ? Infinity : atMs + 1);
  const within = months.flatMap((month) => {
    const range = { fromMs: Math.max(month.fromMs, fromMs), toMs: Math.min(month.toMs, toMs) };
    return range.fromMs < range.toMs ? [range] : [];
  });
  return isDescending ? within : within.reverse();
}
