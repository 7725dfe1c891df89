/**
 * Sums over one UTC day. Ids carry the time, so a day is a range of the primary key: no index on
 * created_at is needed and one partition of each table is read.
 */
import type { Verdict } from '../domain/score-record.ts';
import { lowestIdAt } from '../domain/transaction-id.ts';
import { isoTime } from './month-slice.ts';
import type { Database } from './pool.ts';

export const DAY_MS = 86_400_000;

export type DayAmounts = {
  readonly corridor: string;
  readonly currency: string;
  readonly transactions: number;
  /** Decimal text. */
  readonly sum: string;
};

export type DayScores = {
  readonly corridor: string;
  readonly verdict: Verdict;
  readonly scores: number;
  readonly scoreSum: number;
};

const RANGE =
  'created_at >= $1 and created_at < $2 and transaction_id >= $3 and transaction_id < $4';

export const sumDayAmounts = {
  name: 'sum-day-amounts',
  text: `select corridor, currency, count(*)::int4 as transactions, sum(amount)::text as sum
           from transactions where ${RANGE} group by corridor, currency`,
};

export const sumDayScores = {
  name: 'sum-day-scores',
  text: `select corridor, verdict, count(*)::int4 as scores, sum(score)::float8 as "scoreSum"
           from scores where ${RANGE} group by corridor, verdict`,
};

export async function readDay(
  database: Pick<Database, 'query'>,
  dayStartMs: number,
): Promise<{ amounts: DayAmounts[]; scores: DayScores[] }> {
  const endMs = dayStartMs + DAY_MS;
  const range = [isoTime(dayStartMs), isoTime(endMs), lowestIdAt(dayStartMs), lowestIdAt(endMs)];
  const amounts = await database.query<DayAmounts>(sumDayAmounts, range);
  const scores = await database.query<DayScores>(sumDayScores, range);
  return { amounts, scores };
}
