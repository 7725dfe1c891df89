/** Accepted transactions by their ids, with what became of them. Every statement names created_at, so it touches one partition a table. */
import { uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { epochMs, rowsOf } from '../../../kit/database/statement.ts';
import type { Disposition } from '../../domain/disposition.ts';
import { declaredOf } from '../../domain/metadata.ts';
import { createdAtMsOf, type Transaction } from '../../domain/transaction.ts';
import type { TransactionRow } from '../../domain/transaction-record.ts';
import { readFields } from '../metadata-fields/metadata-fields.ts';
import { isoTime } from '../partitions/month-slice.ts';
import { type TimeValues, timeValues } from '../within-months.ts';

type Decided = {
  /** Decision of people, once it is final; null where there is none. `finalAt` is a text of Postgres. */
  readonly finalDecision: { readonly disposition: Disposition; readonly finalAt: string } | null;
};
type DecidedTransaction = TransactionRow & Decided;

export const COLUMNS = `t.transaction_id, t.created_at, t.received_at, t.account_id, t.merchant_id, t.corridor,
  t.amount, t.currency, t.type, t.ip, t.device_id, t.country, t.channel, t.metadata, t.client`;

/** A purged dead letter still is the end of its transaction; a replayed one is not. */
const STATUS = `case
    when exists (select from market.scores s where s.transaction_id = t.transaction_id
                  and s.created_at = t.created_at and s.created_at >= $1 and s.created_at < $2) then 'scored'
    when exists (select from market.dead_letters d where d.transaction_id = t.transaction_id
                  and d.replayed_at is null) then 'dead_lettered'
    else 'accepted' end as status`;

/** The newest decision of people, if any. */
const DECISION = `(select json_build_object('disposition', d.disposition, 'finalAt', d.final_at)
    from market.final_decisions d where d.transaction_id = t.transaction_id order by d.decision_id desc limit 1) as "finalDecision"`;

export const selectTransaction = {
  name: 'select-transaction',
  text: `select ${COLUMNS}, ${STATUS}, ${DECISION} from market.transactions t
          where t.transaction_id = $3 and t.created_at >= $1 and t.created_at < $2
            and ($4::text is null or t.client = $4)`,
};

/** @param client finds only this client's transactions, as if no others existed; null finds all */
export async function readStoredTransaction(
  database: Pick<Database, 'query'>,
  id: string,
  createdAtMs: number,
  client: string | null,
): Promise<DecidedTransaction | undefined> {
  const [row] = await database.query<DecidedTransaction>(selectTransaction, [
    isoTime(createdAtMs),
    isoTime(createdAtMs + 1),
    id,
    client,
  ]);
  return row;
}

export type PlainRow = Omit<TransactionRow, 'status'>;

const loadStatement = {
  name: 'load-transactions',
  text: `select ${COLUMNS}
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
           join market.transactions t on t.transaction_id = u.transaction_id and t.created_at = u.created_at
          where t.created_at >= $3 and t.created_at <= $4`,
};

/** Columns of a Transaction; metadata is null where the market declares no fields. */
const RECORD_COLUMNS = `t.transaction_id as "transactionId", ${epochMs('t.created_at')} as "createdAtMs",
  ${epochMs('t.received_at')} as "receivedAtMs", t.account_id as "accountId", t.merchant_id as "merchantId",
  t.amount, t.currency, t.corridor, t.type, t.ip, t.device_id as "deviceId", t.country, t.channel,
  case when $5 then t.metadata end as metadata`;

/**
 * Accepted transactions that have neither a score nor an active or purged dead letter. The lookups are lateral, so that each row
 * probes one partition by its primary key; a join would be planned over all scores.
 */
const IS_OPEN = `
  not exists (select from market.scores s
               where s.transaction_id = t.transaction_id and s.created_at = t.created_at and s.created_at between $3 and $4 offset 0)
  and not exists (select from market.dead_letters d
                   where d.transaction_id = t.transaction_id and d.replayed_at is null offset 0)`;

type Loaded = Omit<Transaction, 'declared'> & { readonly metadata: unknown };

const loadBy = (name: string, condition: string) =>
  rowsOf<Loaded, [ids: Buffer, ...times: TimeValues, hasFields: boolean]>(
    name,
    `select ${RECORD_COLUMNS}
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (
            select t.* from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at and t.created_at between $3 and $4 and ${condition}
             limit 1) t`,
  );

const loader =
  (load: ReturnType<typeof loadBy>) =>
  async ({ query }: Pick<Database, 'query'>, ids: readonly string[]): Promise<Transaction[]> => {
    const fields = await readFields(query);
    const times = ids.map((id) => createdAtMsOf(id) ?? 0);
    const rows = await load(query, uuidArray(ids), ...timeValues(times), fields.size > 0);
    return rows.map(({ metadata, ...row }) => ({ ...row, declared: declaredOf(metadata, fields) }));
  };

/** Stored transactions by their ids, in no order; unknown ids are left out. */
export const loadTransactions = loader(loadBy('load-transactions-by-id', 'true'));

/** Loads which of these transactions are still to be scored: the reconciler appends them again. */
export const loadUnscored = loader(loadBy('load-unscored-by-id', IS_OPEN));

/** Rows in no order, with the metadata that clients sent. */
export async function loadTransactionRows(
  database: Pick<Database, 'query'>,
  ids: readonly string[],
): Promise<PlainRow[]> {
  const known = ids.filter((id) => createdAtMsOf(id) !== undefined);
  const times = known.flatMap((id) => createdAtMsOf(id) ?? []);
  if (known.length === 0) return [];
  return await database.query<PlainRow>(loadStatement, [uuidArray(known), ...timeValues(times)]);
}
