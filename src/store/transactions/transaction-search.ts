/**
 * Accepted transactions as analysts read them, with their outcomes: one by id, or a page of one month by
 * account, merchant or simply newest first. Every statement names created_at, so it touches one partition of
 * transactions and one of scores.
 */
import type { Position } from '../../domain/cursor.ts';
import type { Transaction, TransactionStatus } from '../../domain/transaction.ts';
import { createdAtMsOf, lowestIdAt } from '../../domain/transaction-id.ts';
import { timestampArray, uuidArray } from '../database/binary-array.ts';
import type { Database } from '../database/pool.ts';
import {
  isoTime,
  type MonthSlice,
  type PreparedSearch,
  readSlice,
  SLICE_ROWS_EXAMINED_MAX,
  type SliceResult,
  UNNAMED,
} from '../partitions/month-slice.ts';

export type StoredTransaction = Transaction & {
  readonly metadata: Record<string, unknown> | null;
  readonly status: TransactionStatus;
  /** Null for a row that predates the column. */
  readonly client: string | null;
};

export type TransactionFilter = {
  readonly accountId?: string | undefined;
  readonly merchantId?: string | undefined;
  readonly corridor?: string | undefined;
};

const COLUMNS = `t.transaction_id, t.created_at, t.received_at, t.account_id, t.merchant_id, t.corridor,
  t.amount, t.currency, t.type, t.ip, t.device_id, t.country, t.channel, t.metadata, t.client`;

/** A purged dead letter still is the end of its transaction; a replayed one is not. */
const STATUS = `case
    when exists (select from market.scores s where s.transaction_id = t.transaction_id
                  and s.created_at = t.created_at and s.created_at >= $1 and s.created_at < $2) then 'scored'
    when exists (select from market.dead_letters d where d.transaction_id = t.transaction_id
                  and d.replayed_at is null) then 'dead_lettered'
    else 'accepted' end as status`;

/** The columns that every reader of `transactions` selects. */
export type PlainTransactionRow = {
  transaction_id: string;
  created_at: Date;
  received_at: Date;
  account_id: string;
  merchant_id: string;
  corridor: string;
  amount: string;
  currency: string;
  type: string | null;
  ip: string | null;
  device_id: string | null;
  country: string | null;
  channel: string | null;
};

type TransactionRow = PlainTransactionRow & {
  metadata: Record<string, unknown> | null;
  status: TransactionStatus;
  client: string | null;
};

export const selectTransaction = {
  name: 'select-transaction',
  text: `select ${COLUMNS}, ${STATUS} from market.transactions t
          where t.transaction_id = $3 and t.created_at >= $1 and t.created_at < $2
            and ($4::text is null or t.client = $4)`,
};

/** @param client finds only this client's transactions, as if no others existed; null finds all */
export async function readStoredTransaction(
  database: Pick<Database, 'query'>,
  id: string,
  createdAtMs: number,
  client: string | null,
): Promise<StoredTransaction | undefined> {
  const [row] = await database.query<TransactionRow>(selectTransaction, [
    isoTime(createdAtMs),
    isoTime(createdAtMs + 1),
    id,
    client,
  ]);
  return row && toTransaction(row);
}

const loadStatement = {
  name: 'load-transactions',
  text: `select ${COLUMNS}
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
           join market.transactions t on t.transaction_id = u.transaction_id and t.created_at = u.created_at
          where t.created_at >= $3 and t.created_at <= $4`,
};

/** Stored transactions by their ids, in no order; unknown ids are left out. */
export async function loadTransactions(
  database: Pick<Database, 'query'>,
  ids: readonly string[],
): Promise<Transaction[]> {
  const known: string[] = [];
  const times: number[] = [];
  for (const id of ids) {
    const createdAtMs = createdAtMsOf(id);
    if (createdAtMs === undefined) continue;
    known.push(id);
    times.push(createdAtMs);
  }
  if (known.length === 0) return [];
  const rows = await database.query<Omit<TransactionRow, 'status'>>(loadStatement, [
    uuidArray(known),
    timestampArray(times),
    isoTime(Math.min(...times)),
    isoTime(Math.max(...times)),
  ]);
  return rows.map(toPlainTransaction);
}

/** The statement of one slice, from fixed parts only; values are always parameters. */
export function transactionSearch(
  filter: TransactionFilter,
  slice: MonthSlice,
): { page: PreparedSearch; boundary: PreparedSearch | null } {
  const values: unknown[] = [isoTime(slice.lowerMs), isoTime(slice.upperMs)];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const { conditions, order } = wayIn(filter, slice, parameter);
  const way = (columns: string) => `select ${columns} from market.transactions t
      where t.created_at >= $1 and t.created_at < $2 and ${conditions.join(' and ')} order by ${order}`;
  const boundaryValues = [...values];
  const residual: string[] = [];
  if (filter.accountId !== undefined && filter.merchantId !== undefined) {
    residual.push(`t.merchant_id = ${parameter(filter.merchantId)}`);
  }
  if (filter.corridor !== undefined) {
    residual.push(`t.corridor = ${parameter(filter.corridor)}`);
  }
  const page: PreparedSearch = {
    statement: {
      name: UNNAMED,
      text: `select ${COLUMNS}, ${STATUS}
               from (${way(COLUMNS)} limit ${SLICE_ROWS_EXAMINED_MAX}) t
              ${residual.length > 0 ? `where ${residual.join(' and ')}` : ''}
              order by ${order} limit ${parameter(slice.rows)}`,
    },
    values,
  };
  if (residual.length === 0) return { page, boundary: null };
  const statement = {
    name: UNNAMED,
    text: `${way('t.transaction_id, t.created_at')} offset ${SLICE_ROWS_EXAMINED_MAX - 1} limit 1`,
  };
  return { page, boundary: { statement, values: boundaryValues } };
}

function wayIn(
  filter: TransactionFilter,
  slice: MonthSlice,
  parameter: (value: unknown) => string,
): { conditions: string[]; order: string } {
  const { accountId, merchantId } = filter;
  if (accountId === undefined && merchantId === undefined) {
    const conditions = [
      `t.transaction_id < ${parameter(slice.before.id)}`,
      `t.transaction_id >= ${parameter(lowestIdAt(slice.lowerMs))}`,
    ];
    return { conditions, order: 't.transaction_id desc' };
  }
  const before = `(t.created_at, t.transaction_id) < (${parameter(isoTime(slice.before.atMs))}, ${parameter(slice.before.id)})`;
  const order = 't.created_at desc, t.transaction_id desc';
  return accountId === undefined
    ? { conditions: [`t.merchant_id = ${parameter(merchantId)}`, before], order }
    : { conditions: [`t.account_id = ${parameter(accountId)}`, before], order };
}

export async function searchStoredTransactions(
  database: Pick<Database, 'query'>,
  filter: TransactionFilter,
  slice: MonthSlice,
): Promise<SliceResult<StoredTransaction>> {
  const search = transactionSearch(filter, slice);
  const { rows, reached } = await readSlice<TransactionRow>(
    database.query,
    search,
    slice,
    rowPosition,
  );
  return { rows: rows.map(toTransaction), reached };
}

function rowPosition(row: TransactionRow): Position {
  return { atMs: row.created_at.getTime(), id: row.transaction_id };
}

function toTransaction(row: TransactionRow): StoredTransaction {
  const { metadata, status, client } = row;
  return { ...toPlainTransaction(row), metadata, status, client };
}

export function toPlainTransaction(row: PlainTransactionRow): Transaction {
  return {
    transactionId: row.transaction_id,
    createdAtMs: row.created_at.getTime(),
    receivedAtMs: row.received_at.getTime(),
    accountId: row.account_id,
    merchantId: row.merchant_id,
    amount: row.amount,
    currency: row.currency,
    corridor: row.corridor,
    type: row.type,
    ip: row.ip,
    deviceId: row.device_id,
    country: row.country,
    channel: row.channel,
  };
}
