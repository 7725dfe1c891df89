/** Measures how many verdicts a night changes; the policy of people bounds the share. */
import { logistic } from '../../../kit/elementary-functions.ts';
import { uuidsIn } from '../../../kit/words/cursor.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import type { PolicyTerms } from '../../domain/policy.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { relift } from '../../profile/day-features.ts';
import type { DayTable } from '../../score/scorecard/day-table.ts';
import { marginBy } from '../../score/scorecard/judge-by-table.ts';
import { bandsBy } from '../../score/scorecard/policy.ts';
import { readSample } from '../../store/scorecards/read-night.ts';
import { readVectorRows } from '../../store/scorecards/read-payments.ts';
import { loadTransactions } from '../../store/transactions/read-transactions.ts';
import { findTableAt } from '../../work/day-tables.ts';
import type { Known, NewlyCounted } from './count-days.ts';

/** Least payments that are compared: older days are added until there are so many. Fewer: one payment is over a tenth of the bound. */
const ROWS_MIN = 1000;
const DAYS_MAX = 7;

/**
 * Share of the newest payments whose verdict by the shares of a policy differs between a new table and the table in use before it. Each
 * table computes the payments' features of the day anew, as labels also change verdicts through these features.
 * @returns null where a table has no bands by the policy
 */
export async function differsFrom(
  known: Known,
  counted: ReadonlyMap<number, NewlyCounted>,
  table: DayTable,
  policy: PolicyTerms,
): Promise<number | null> {
  const { query, day, matured, signal } = known;
  const before = (await findTableAt(query, day * DAY_MS - 1))?.table;
  const [was, is] = [before && verdictBy(before, policy, known), verdictBy(table, policy, known)];
  if (!was || !is) return null;
  let [rows, differing] = [0, 0];
  for await (const page of readVectorRows(query, await sampleOf(known, counted), matured, signal)) {
    const vectors = new Map(page.map(({ id, vector }) => [id, vector]));
    for (const payment of await loadTransactions(known, [...vectors.keys()])) {
      const vector = vectors.get(payment.transactionId) as Float64Array;
      rows++;
      if (was(vector, payment) !== is(vector, payment)) differing++;
    }
  }
  return rows === 0 ? null : differing / rows;
}

/** 2 declines, 1 reviews. */
function verdictBy(table: DayTable, policy: PolicyTerms, { slots }: Known) {
  const bands = bandsBy(policy, table);
  if (bands === null) return null;
  return (vector: Float64Array, payment: Transaction) => {
    const probability = logistic(marginBy({ table }, relift(vector, payment, table, slots)));
    return Number(probability >= bands.reviewFrom) + Number(probability >= bands.declineFrom);
  };
}

/** Ids of the newest days' samples. */
async function sampleOf(
  { query, day, payments }: Known,
  counted: ReadonlyMap<number, NewlyCounted>,
): Promise<string[]> {
  const ids: string[] = [];
  for (let of = day - 1; of >= day - DAYS_MAX && ids.length < ROWS_MIN; of--) {
    if (!payments.has(of)) continue;
    const { sample } = counted.get(of) ?? (await readSample(query, of));
    ids.push(...uuidsIn(sample));
  }
  return ids;
}
