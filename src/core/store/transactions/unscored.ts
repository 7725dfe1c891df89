/**
 * Accepted transactions that have neither a score nor an active or purged dead letter: the reconciler appends
 * them again. The lookups are lateral, so that each row probes one partition by its primary key; a join would
 * be planned over all scores.
 */
import { timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import { type Columns, epochMs } from '../../../kit/database/columns.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { declaredOf, type MetadataFields } from '../../domain/metadata-field.ts';
import type { Transaction } from '../../domain/transaction.ts';
import { createdAtMsOf } from '../../domain/transaction-id.ts';
import { readFields } from '../metadata-fields/metadata-fields.ts';

type Queries = Pick<Database, 'query'>;

const COLUMNS = `json_agg(t.transaction_id) as "transactionId", json_agg(${epochMs('t.created_at')}) as "createdAtMs",
  json_agg(${epochMs('t.received_at')}) as "receivedAtMs", json_agg(t.account_id) as "accountId",
  json_agg(t.merchant_id) as "merchantId", json_agg(t.amount::text) as amount, json_agg(t.currency) as currency,
  json_agg(t.corridor) as corridor, json_agg(t.type) as type, json_agg(t.ip) as ip,
  json_agg(t.device_id) as "deviceId", json_agg(t.country) as country, json_agg(t.channel) as channel,
  json_agg(case when $3 then t.metadata end) as metadata`;

const IS_OPEN = `
  not exists (select from market.scores s
               where s.transaction_id = t.transaction_id and s.created_at = t.created_at offset 0)
  and not exists (select from market.dead_letters d
                   where d.transaction_id = t.transaction_id and d.replayed_at is null offset 0)`;

const byIdStatement = {
  name: 'load-unscored-by-id',
  text: `select ${COLUMNS}
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (
            select t.* from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at and ${IS_OPEN}
             limit 1) t
         having count(*) > 0`,
};

/** Loads which of these transactions are still to be scored. */
export async function loadUnscored(
  database: Queries,
  transactionIds: readonly string[],
): Promise<Transaction[]> {
  const fields = await readFields(database.query);
  const times = transactionIds.map((id) => createdAtMsOf(id) ?? 0);
  const values = [uuidArray(transactionIds), timestampArray(times), fields.size > 0];
  return toTransactions(await database.query<Columns<Loaded>>(byIdStatement, values), fields);
}

type Loaded = Omit<Transaction, 'declared'> & {
  /** Null where the market declares no fields. */
  readonly metadata: unknown;
};

function toTransactions(
  [columns]: readonly Columns<Loaded>[],
  fields: MetadataFields,
): Transaction[] {
  if (columns === undefined) return [];
  return columns.transactionId.map((transactionId, row) => ({
    transactionId,
    createdAtMs: columns.createdAtMs[row] as number,
    receivedAtMs: columns.receivedAtMs[row] as number,
    accountId: columns.accountId[row] as string,
    merchantId: columns.merchantId[row] as string,
    amount: columns.amount[row] as string,
    currency: columns.currency[row] as string,
    corridor: columns.corridor[row] as string,
    type: columns.type[row] as string | null,
    ip: columns.ip[row] as string | null,
    deviceId: columns.deviceId[row] as string | null,
    country: columns.country[row] as string | null,
    channel: columns.channel[row] as string | null,
    declared: declaredOf(columns.metadata[row], fields),
  }));
}
