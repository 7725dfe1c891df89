/**
 * Accepted transactions that have neither a score nor an active or purged dead letter: the reconciler appends
 * them again. The lookups are lateral, so that each row probes one partition by its primary key; a join would
 * be planned over all scores.
 */
import { timestampArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { epochMs, rowsOf } from '../../../kit/database/statement.ts';
import { declaredOf } from '../../domain/metadata.ts';
import { createdAtMsOf, type Transaction } from '../../domain/transaction.ts';
import { readFields } from '../metadata-fields/metadata-fields.ts';

type Queries = Pick<Database, 'query'>;

const COLUMNS = `t.transaction_id as "transactionId", ${epochMs('t.created_at')} as "createdAtMs",
  ${epochMs('t.received_at')} as "receivedAtMs", t.account_id as "accountId", t.merchant_id as "merchantId",
  t.amount, t.currency, t.corridor, t.type, t.ip, t.device_id as "deviceId", t.country, t.channel,
  case when $3 then t.metadata end as metadata`;

const IS_OPEN = `
  not exists (select from market.scores s
               where s.transaction_id = t.transaction_id and s.created_at = t.created_at offset 0)
  and not exists (select from market.dead_letters d
                   where d.transaction_id = t.transaction_id and d.replayed_at is null offset 0)`;

/** `metadata` is null where the market declares no fields. */
type Loaded = Omit<Transaction, 'declared'> & { readonly metadata: unknown };

const loadById = rowsOf<Loaded, [ids: Buffer, createdAt: Buffer, hasFields: boolean]>(
  'load-unscored-by-id',
  `select ${COLUMNS}
           from unnest($1::uuid[], $2::timestamptz[]) as u(transaction_id, created_at)
          cross join lateral (
            select t.* from market.transactions t
             where t.transaction_id = u.transaction_id and t.created_at = u.created_at and ${IS_OPEN}
             limit 1) t`,
);

/** Loads which of these transactions are still to be scored. */
export async function loadUnscored(
  database: Queries,
  transactionIds: readonly string[],
): Promise<Transaction[]> {
  const fields = await readFields(database.query);
  const times = transactionIds.map((id) => createdAtMsOf(id) ?? 0);
  const ids = uuidArray(transactionIds);
  const rows = await loadById(database.query, ids, timestampArray(times), fields.size > 0);
  return rows.map(({ metadata, ...row }) => ({ ...row, declared: declaredOf(metadata, fields) }));
}
