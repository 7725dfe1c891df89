/**
 * Transactions near another one in time that share its account, merchant, device or address. One statement reads one
 * direction, the nearest first, and looks at a bounded number of rows.
 */
import type { Verdict } from '../../../core/domain/score-record.ts';
import type { TransactionRow } from '../../../core/domain/transaction-record.ts';
import { isoTime } from '../../../core/store/partitions/month-slice.ts';
import type { Database } from '../../../kit/database/pool.ts';

/** Rows of one direction that a question looks at where only a client's own rows are seen, which no index tells apart. */
export const NEAR_ROWS_EXAMINED_MAX = 2_000;

/** Columns that two transactions may share. An index begins with each. */
export type SharedColumn = 'account_id' | 'merchant_id' | 'device_id' | 'ip';
type NearQuestion = {
  /** The transaction itself, which is left out. */
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly column: SharedColumn;
  readonly value: string;
  readonly direction: 'before' | 'after';
  /** How far from the transaction the question looks, in time. */
  readonly reachMs: number;
  readonly rowsMax: number;
  /** Finds only this client's transactions, as if no others existed; null finds all. */
  readonly client: string | null;
};

export type NearTransaction = Pick<
  TransactionRow,
  'transaction_id' | 'created_at' | SharedColumn | 'amount' | 'currency'
> & {
  /** Null without a score, as is the verdict. */
  readonly score: number | null;
  readonly verdict: Verdict | null;
};

type NearRows = {
  /** The nearest first. */
  readonly rows: readonly NearTransaction[];
  /** False where more may be within reach. */
  readonly isComplete: boolean;
};

/** Reads one direction. A transaction of the same millisecond counts as before, as nobody knows which came first. */
export async function readNear(
  { query }: Pick<Database, 'query'>,
  question: NearQuestion,
): Promise<NearRows> {
  const { rowsMax } = question;
  const { text, values, examinedMax } = nearStatement(question);
  const rows = await query<(NearTransaction | Unmatched) & { readonly examined: number }>(
    { text },
    values,
  );
  const examined = rows[0]?.examined ?? 0;
  const near = rows.flatMap(({ examined: _examined, ...row }) =>
    row.transaction_id === null ? [] : row,
  );
  const isComplete = near.length <= rowsMax && examined < examinedMax;
  return { rows: near.slice(0, rowsMax), isComplete };
}

/** The row of an answer without a neighbour, which has the number of rows that were looked at. */
type Unmatched = { readonly transaction_id: null };

function nearStatement(question: NearQuestion) {
  const { createdAtMs, transactionId, column, value, direction, client, rowsMax } = question;
  // Times have milliseconds, so the two directions do not overlap.
  const [order, fromMs, toMs] =
    direction === 'before'
      ? ['desc', createdAtMs - question.reachMs, createdAtMs]
      : ['asc', createdAtMs + 1, createdAtMs + question.reachMs];
  const values: unknown[] = [value, transactionId, client, isoTime(fromMs), isoTime(toMs)];
  // A row beyond those that are shown says that there are more.
  const examinedMax = client === null ? rowsMax + 1 : NEAR_ROWS_EXAMINED_MAX;
  const text = `
    with examined as materialized (
      select t.transaction_id, t.created_at, t.account_id, t.merchant_id, t.device_id, t.ip, t.amount, t.currency, t.client
        from market.transactions t
       where t.${column} = $1 and t.created_at >= $4 and t.created_at <= $5 and t.transaction_id <> $2
       order by t.created_at ${order} limit ${examinedMax}
    )
    select counted.examined, n.transaction_id, n.created_at, n.account_id, n.merchant_id, n.device_id, n.ip, n.amount,
           n.currency, s.score, s.verdict
      from (select count(*)::int4 as examined from examined) counted
      left join lateral (
        select * from examined t
         where $3::text is null or t.client = $3
         order by t.created_at ${order}, t.transaction_id ${order} limit ${rowsMax + 1}
      ) n on true
      left join lateral (
        select s.score, s.verdict from market.scores s
         where s.transaction_id = n.transaction_id and s.created_at = n.created_at
           and s.created_at >= $4 and s.created_at <= $5 limit 1
      ) s on true
     order by n.created_at ${order}, n.transaction_id ${order}`;
  return { text, values, examinedMax };
}
