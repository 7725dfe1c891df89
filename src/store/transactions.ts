/**
 * Writing accepted transactions. One statement claims the idempotency keys, stores the transactions
 * whose keys were free and opens the batch, so that a request costs one round trip inside its
 * database transaction. Larger batches first try a statement that takes every key for free, which is a
 * third cheaper and fails where one is not. Reading lives in transaction-search.ts.
 */
import type { Transaction } from '../domain/transaction.ts';
import { byteaArray, textArray, timestampArray, uuidArray } from './binary-array.ts';
import { sqlStateOf, UNIQUE_VIOLATION } from './pg-failure.ts';
import type { Query, Statement } from './pool.ts';

/** A transaction on its way in, with what is stored beside it. */
export type NewTransaction = Transaction & {
  readonly idempotencyKey: string;
  /** SHA-256 of the validated body before defaults, in hexadecimal. */
  readonly fingerprint: string;
  /** JSON text. */
  readonly metadata: string | null;
};

export type NewBatch = {
  readonly batchId: string;
  readonly client: string;
  readonly receivedAtMs: number;
  /** At most 1,000, sorted by idempotency key: overlapping batches then wait instead of deadlocking. */
  readonly transactions: readonly NewTransaction[];
};

/**
 * From this many rows on, the cheaper statement is tried first: below it the round trip of its
 * savepoint costs more than it saves.
 */
const HOPEFUL_ROWS_MIN = 100;

// Arrays side by side in a select list are walked in step, without the tuple store a column that
// unnest() of several arrays fills. Where they are null or shorter, the rest is null.
const insertKeys = `insert into idempotency_keys (client, idempotency_key, fingerprint, transaction_id, received_at)
      select $1, unnest($4::text[]), unnest($5::bytea[]), unnest($6::uuid[]), $2`;
const insertTransactions = `insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, amount,
                                currency, corridor, type, ip, device_id, country, channel, metadata)
      select transaction_id, created_at, $2, account_id, merchant_id, amount::numeric,
             currency, corridor, type, ip, device_id, country, channel, metadata::jsonb
        from (select unnest($6::uuid[]) as transaction_id, unnest($7::timestamptz[]) as created_at,
                     unnest($8::text[]) as account_id, unnest($9::text[]) as merchant_id,
                     unnest($10::text[]) as amount, unnest($11::text[]) as currency,
                     unnest($12::text[]) as corridor, unnest($13::text[]) as type, unnest($14::text[]) as ip,
                     unnest($15::text[]) as device_id, unnest($16::text[]) as country,
                     unnest($17::text[]) as channel, unnest($18::text[]) as metadata) u`;
const insertBatch = 'insert into ingest_batches (batch_id, received_at, transaction_ids)';

// The keys come first whatever the executor would do by itself: rivals then wait for each other in key
// order alone, and a key that is held costs no transactions written in vain.
const claimAllStatement: Statement = {
  name: 'claim-all-transactions',
  text: `
    with claimed as (
      ${insertKeys}
      returning 1
    ), complete as materialized (
      select count(*) = cardinality($6::uuid[]) as is_complete from claimed
    ), stored as (
      ${insertTransactions}
       where (select is_complete from complete)
    )
    ${insertBatch}
    select $3, $2, $6::uuid[] where (select is_complete from complete)`,
};

// `(x in (select …)) is true` stays a hashed subplan at any row estimate; a join of two arrays of
// unknown length may be planned as a nested loop over a million pairs.
const claimFreeStatement: Statement = {
  name: 'claim-free-transactions',
  text: `
    with claimed as (
      ${insertKeys}
      on conflict do nothing
      returning transaction_id
    ), stored as (
      ${insertTransactions}
       where (transaction_id in (select transaction_id from claimed)) is true
    ), opened as (
      ${insertBatch}
      select $3, $2, array_agg(transaction_id) from claimed having count(*) > 0
    )
    select case when (select count(*) from claimed) < cardinality($6::uuid[]) then
             array(select ordinal::int4
                     from unnest($6::uuid[]) with ordinality as u(transaction_id, ordinal)
                    where (transaction_id in (select transaction_id from claimed)) is not true) end as lost`,
};

/**
 * Stores the transactions whose keys nobody holds. Waits for a concurrent claimant of the same key.
 * @param query of an open database transaction
 * @returns positions in `batch.transactions` whose key was already held; nothing of them is stored.
 */
export async function claimTransactions(query: Query, batch: NewBatch): Promise<number[]> {
  const values = claimValues(batch);
  if (batch.transactions.length >= HOPEFUL_ROWS_MIN && (await claimAll(query, values))) return [];
  const [row] = await query<{ lost: number[] | null }>(claimFreeStatement, values);
  return (row?.lost ?? []).map((ordinal) => ordinal - 1);
}

const savepoint: Statement = { name: '', text: 'savepoint claim' };
const rollBack: Statement = { name: '', text: 'rollback to savepoint claim' };

/** All or nothing; false when a key is held, or when this very batch was stored by an earlier try. */
async function claimAll(query: Query, values: readonly unknown[]): Promise<boolean> {
  await query(savepoint);
  try {
    await query(claimAllStatement, values);
    return true;
  } catch (error) {
    if (sqlStateOf(error) !== UNIQUE_VIOLATION) throw error;
    await query(rollBack);
    return false;
  }
}

function claimValues(batch: NewBatch): readonly unknown[] {
  const rows = batch.transactions;
  return [
    batch.client,
    new Date(batch.receivedAtMs),
    batch.batchId,
    textArray(rows.map((row) => row.idempotencyKey)),
    byteaArray(rows.map((row) => row.fingerprint)),
    uuidArray(rows.map((row) => row.transactionId)),
    timestampArray(rows.map((row) => row.createdAtMs)),
    textArray(rows.map((row) => row.accountId)),
    textArray(rows.map((row) => row.merchantId)),
    textArray(rows.map((row) => row.amount)),
    textArray(rows.map((row) => row.currency)),
    textArray(rows.map((row) => row.corridor)),
    optionalColumn(rows.map((row) => row.type)),
    optionalColumn(rows.map((row) => row.ip)),
    optionalColumn(rows.map((row) => row.deviceId)),
    optionalColumn(rows.map((row) => row.country)),
    optionalColumn(rows.map((row) => row.channel)),
    optionalColumn(rows.map((row) => row.metadata)),
  ];
}

/** A column of nulls is null: unnest fills it up beside the others. */
function optionalColumn(values: readonly (string | null)[]): Buffer | null {
  return values.every((value) => value === null) ? null : textArray(values);
}
