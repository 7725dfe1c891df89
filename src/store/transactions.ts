/**
 * Writing accepted transactions: one statement, which is its own commit, claims the idempotency keys, stores the
 * transactions and opens the batch; where one key is held it does nothing at all. Keys that a sealed slice may
 * hold are looked up before. Reading lives in transaction-search.ts.
 */
import { Failure } from '../domain/failure.ts';
import type { Transaction } from '../domain/transaction.ts';
import { hexUuidArray, textArray, timestampArray, uuidArray } from './binary-array.ts';
import { findKeys, findKeysInSlices, type HeldKey } from './idempotency-keys.ts';
import { digestKeys, type KeyDigests, pickDigests } from './key-digest.ts';
import type { KeyRoute, KeySlices } from './key-slices.ts';
import { CHECK_VIOLATION, sqlStateOf, tableOf, UNIQUE_VIOLATION } from './pg-failure.ts';
import type { Database, Statement } from './pool.ts';

/** A transaction on its way in, with what is stored beside it. */
export type NewTransaction = Transaction & {
  readonly idempotencyKey: string;
  /** The first 16 bytes of SHA-256 of the validated body before defaults, in hexadecimal. */
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

// Arrays side by side in a select list are walked in step, without the tuple store a column that
// unnest() of several arrays fills. Where they are null or shorter, the rest is null.
const insertKeys = `insert into idempotency_keys (slice, digest, fingerprint, transaction_id)
      select $1::int4, unnest($4::uuid[]), unnest($5::uuid[]), unnest($6::uuid[])`;
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
const claimStatement: Statement = {
  name: 'claim-transactions',
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

/** A slice is open for hours or days, so a claim that meets the end of one meets no second. */
const CLAIMS_MAX = 4;

/**
 * Stores all of a batch, or nothing where a key is held. Waits for a concurrent claimant of the same key.
 * @returns who holds which keys of the batch; empty when it is stored
 */
export async function claimTransactions(
  database: Pick<Database, 'query' | 'write'>,
  slices: KeySlices,
  batch: NewBatch,
): Promise<ReadonlyMap<NewTransaction, HeldKey>> {
  const rows = batch.transactions;
  const digests = digestKeys(
    batch.client,
    rows.map((row) => row.idempotencyKey),
  );
  for (let tried = 0; tried < CLAIMS_MAX; tried++) {
    const route = await slices.route(digests);
    const standing = await findStanding(database, digests, route);
    if (standing.size > 0) return heldBy(rows, standing);
    const refusal = await tryClaim(database, route, digests, batch);
    if (refusal === null) return new Map();
    if (refusal === 'sealed') {
      await slices.refresh();
      continue;
    }
    const held = await findKeys(database.query, digests);
    if (held.length > 0) return heldBy(rows, new Map(held.map((key) => [key.position, key])));
  }
  throw new Failure('transient', 'KEYS_MOVED', 'the slices of idempotency keys keep changing');
}

/** Keys that sealed slices hold. Those never change, so that this may be asked before the claim. */
async function findStanding(
  { query }: Pick<Database, 'query'>,
  digests: KeyDigests,
  { suspects, slices }: KeyRoute,
): Promise<ReadonlyMap<number, HeldKey>> {
  if (suspects.length === 0) return new Map();
  const asked = suspects.length === digests.count ? digests : pickDigests(digests, suspects);
  const found = await findKeysInSlices(query, asked, slices);
  return new Map(found.map((key) => [suspects[key.position] as number, key]));
}

function heldBy(
  rows: readonly NewTransaction[],
  held: ReadonlyMap<number, HeldKey>,
): ReadonlyMap<NewTransaction, HeldKey> {
  return new Map([...held].map(([position, key]) => [rows[position] as NewTransaction, key]));
}

/** Null when all of it is stored; else nothing is. */
async function tryClaim(
  database: Pick<Database, 'write'>,
  { open }: KeyRoute,
  digests: KeyDigests,
  batch: NewBatch,
): Promise<'held' | 'sealed' | null> {
  try {
    await database.write(claimStatement, claimValues(open, digests, batch));
    return null;
  } catch (error) {
    if (tableOf(error)?.startsWith('idempotency_keys') !== true) throw error;
    const state = sqlStateOf(error);
    if (state === UNIQUE_VIOLATION) return 'held';
    // Sealed, or not even there any more.
    if (state === CHECK_VIOLATION) return 'sealed';
    throw error;
  }
}

function claimValues(slice: number, { array }: KeyDigests, batch: NewBatch): readonly unknown[] {
  const rows = batch.transactions;
  return [
    slice,
    new Date(batch.receivedAtMs),
    batch.batchId,
    array,
    hexUuidArray(rows.map((row) => row.fingerprint)),
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
