/** The parameters of a search as what its statements ask: a filter, and ranges of months. */
import type { Databases } from '../../../kit/database/replica/choose-database.ts';
import { TRANSACTION_LIMITS } from '../../domain/transaction.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';
import { findKnownKeys } from '../idempotency-keys/idempotency-keys.ts';
import type { MonthRange } from '../partitions/month-slice.ts';
import type { SearchFilter } from './search-filter.ts';
import type { SearchQuestion } from './search-question.ts';

/** Without the idempotency key, whose transaction has to be looked up. */
export function toFilter(asked: SearchQuestion, isScored: boolean): SearchFilter {
  return {
    isScored,
    transactionId: undefined,
    accountId: asked.account_id,
    merchantId: asked.merchant_id,
    deviceId: asked.device_id,
    ip: asked.ip,
    corridor: asked.corridor,
    client: asked.client,
    status: asked.status,
    currency: asked.currency,
    minAmount: asked.min_amount,
    maxAmount: asked.max_amount,
    receivedFromMs: asked.received_from,
    receivedToMs: asked.received_to,
    verdicts: asked.verdict,
    minScore: asked.min_score,
    maxScore: asked.max_score,
    reasons: asked.reason,
    reasonMatch: asked.reason_match,
    ruleSet: asked.rule_set,
    model: asked.model,
    degradation: asked.degradation,
    label: asked.label,
    scoredFromMs: asked.scored_from,
    scoredToMs: asked.scored_to,
  };
}

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
  // The client that holds a key sent its transaction, also before transactions named their client.
  return found && { ...filter, transactionId: found.transactionId, client: undefined };
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
  const { receivedToMs = Infinity, scoredToMs = Infinity, transactionId } = filter ?? {};
  const atMs = createdAtMsOf(transactionId ?? '');
  const fromMs = Math.max(from, atMs ?? -Infinity);
  const knownMs = Math.min(receivedToMs, scoredToMs, nowMs) + AHEAD_MS;
  const toMs = Math.min(to, knownMs, atMs === undefined ? Infinity : atMs + 1);
  const within = months.flatMap((month) => {
    const range = { fromMs: Math.max(month.fromMs, fromMs), toMs: Math.min(month.toMs, toMs) };
    return range.fromMs < range.toMs ? [range] : [];
  });
  return isDescending ? within : within.reverse();
}
