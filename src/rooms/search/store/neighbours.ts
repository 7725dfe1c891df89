/**
 * Transactions near another one in time that share its account, merchant, device or address. One statement reads one side,
 * the nearest first, and looks at a bounded number of rows.
 */
import type { Verdict } from '../../../core/domain/score-record.ts';
import { isoTime, UNNAMED } from '../../../core/store/partitions/month-slice.ts';
import type { Database } from '../../../kit/database/pool.ts';

/** Rows of one side that a question looks at where only a client's own rows are seen, which no index tells apart. */
export const NEAR_ROWS_EXAMINED_MAX = 2_000;

/** Columns that two transactions may share. An index begins with each. */
export type SharedColumn = 'account_id' | 'merchant_id' | 'device_id' | 'ip';
type Side = 'before' | 'after';

export type NearQuestion = {
  /** The transaction itself, which is left out. */
  readonly transactionId: string;
  readonly createdAtMs: number;
  readonly column: SharedColumn;
  readonly value: string;
  readonly side: Side;
  /** How far from the transaction the question looks, in time. */
  readonly reachMs: number;
  readonly rowsMax: number;
  /** Finds only this client's transactions, as if no others existed; null finds all. */
  readonly client: string | null;
};

export type NearTransaction = {
  readonly transactionId: string;
  readonly createdAt: Date;
  readonly accountId: string;
  readonly merchantId: string;
  readonly deviceId: string | null;
  readonly ip: string | null;
  readonly amount: string;
  readonly currency: string;
  /** Both null without a score. */
  readonly score: number | null;
  readonly verdict: Verdict | null;
};

type NearSide = {
  /** The nearest first. */
  readonly rows: readonly NearTransaction[];
  /** False where more may be within reach. */
  readonly isComplete: boolean;
};

/** Reads one side. A transaction of the same millisecond counts as before, as nobody knows which came first. */
export async function readNear(
  { query }: Pick<Database, 'query'>,
  question: NearQuestion,
): Promise<NearSide> {
  const { rowsMax } = question;
  const { text, values, examinedMax } = nearStatement(question);
  const rows = await query<(NearTransaction | Unmatched) & { readonly examined: number }>(
    { name: UNNAMED, text },
    values,
  );
  const examined = rows[0]?.examined ?? 0;
  const near = rows.flatMap((row) => (row.transactionId === null ? [] : row));
  const isComplete = near.length <= rowsMax && examined < examinedMax;
  return { rows: near.slice(0, rowsMax), isComplete };
}

/** What a side without a neighbour is answered with, beside the number of rows that were looked at. */
type Unmatched = { readonly transactionId: null };

function nearStatement(question: NearQuestion) {
  const { createdAtMs, transactionId, column, value, side, client, rowsMax } = question;
  // Times are kept to the millisecond, so the sides do not overlap.
  const [direction, fromMs, toMs] =
    side === 'before'
      ? ['desc', createdAtMs - question.reachMs, createdAtMs]
      : ['asc', createdAtMs + 1, createdAtMs + question.reachMs];
  const values: unknown[] = [value, transactionId, client, isoTime(fromMs), isoTime(toMs)];
  // One more than is shown says whether there are more.
  const examinedMax = client === null ? rowsMax + 1 : NEAR_ROWS_EXAMINED_MAX;
  const text = `
    with examined as materialized (
      select t.transaction_id, t.created_at, t.account_id, t.merchant_id, t.device_id, t.ip, t.amount, t.currency, t.client
        from market.transactions t
       where t.${column} = $1 and t.created_at >= $4 and t.created_at <= $5 and t.transaction_id <> $2
       order by t.created_at ${direction} limit ${examinedMax}
    )
    select counted.examined, n.transaction_id as "transactionId", n.created_at as "createdAt", n.account_id as "accountId",
           n.merchant_id as "merchantId", n.device_id as "deviceId", n.ip, n.amount, n.currency, s.score, s.verdict
      from (select count(*)::int4 as examined from examined) counted
      left join lateral (
        select * from examined t
         where $3::text is null or t.client = $3
         order by t.created_at ${direction}, t.transaction_id ${direction} limit ${rowsMax + 1}
      ) n on true
      left join lateral (
        select s.score, s.verdict from market.scores s
         where s.transaction_id = n.transaction_id and s.created_at = n.created_at limit 1
      ) s on true
     order by n.created_at ${direction}, n.transaction_id ${direction}`;
  return { text, values, examinedMax };
}
