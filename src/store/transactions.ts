/**
 * Writing accepted transactions. One statement claims the idempotency keys, stores the transactions
 * whose keys were free and opens the batch, so that a request costs one round trip inside its
 * database transaction. Reading lives in transaction-search.ts.
 */
import type { Transaction } from '../domain/transaction.ts';
import { byteaArray, textArray, timestampArray, uuidArray } from './binary-array.ts';
import type { Query } from './pool.ts';

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

// `(x in (select …)) is true` stays a hashed subplan at any row estimate; a join of two arrays of
// unknown length may be planned as a nested loop over a million pairs.
const claimTransactionsStatement = {
  name: 'claim-transactions',
  text: `
    with claimed as (
      insert into idempotency_keys (client, idempotency_key, fingerprint, transaction_id, received_at)
      select $1, idempotency_key, fingerprint, transaction_id, $2
        from unnest($4::text[], $5::bytea[], $6::uuid[]) as u(idempotency_key, fingerprint, transaction_id)
      on conflict do nothing
      returning transaction_id
    ), stored as (
      insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, amount,
                                currency, corridor, type, ip, device_id, country, channel, metadata)
      select transaction_id, created_at, $2, account_id, merchant_id, amount::numeric,
             currency, corridor, type, ip, device_id, country, channel, metadata::jsonb
        from unnest($6::uuid[], $7::timestamptz[], $8::text[], $9::text[], $10::text[], $11::text[],
                    $12::text[], $13::text[], $14::text[], $15::text[], $16::text[], $17::text[], $18::text[])
             as u(transaction_id, created_at, account_id, merchant_id, amount, currency, corridor,
                  type, ip, device_id, country, channel, metadata)
       where (transaction_id in (select transaction_id from claimed)) is true
    ), opened as (
      insert into ingest_batches (batch_id, received_at, transaction_ids)
      select $3, $2, array_agg(transaction_id) from claimed having count(*) > 0
    )
    select array(select ordinal::int4
                   from unnest($6::uuid[]) with ordinality as u(transaction_id, ordinal)
                  where (transaction_id in (select transaction_id from claimed)) is not true) as lost`,
};

/**
 * Stores the transactions whose keys nobody holds. Waits for a concurrent claimant of the same key.
 * @returns positions in `batch.transactions` whose key was already held; nothing of them is stored.
 */
export async function claimTransactions(query: Query, batch: NewBatch): Promise<number[]> {
  const rows = batch.transactions;
  const [row] = await query<{ lost: number[] }>(claimTransactionsStatement, [
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
  ]);
  return (row?.lost ?? []).map((ordinal) => ordinal - 1);
}

/** A column of nulls is null: unnest fills it up beside the others. */
function optionalColumn(values: readonly (string | null)[]): Buffer | null {
  return values.every((value) => value === null) ? null : textArray(values);
}
