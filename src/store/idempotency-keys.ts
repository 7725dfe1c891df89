/** Idempotency keys: who holds them, and their gentle end after the retention. Claimed in transactions.ts. */
import { textArray } from './binary-array.ts';
import type { Database, Query } from './pool.ts';

export type HeldKey = {
  readonly idempotencyKey: string;
  /** In hexadecimal. */
  readonly fingerprint: string;
  readonly transactionId: string;
};

const findHeldKeysStatement = {
  name: 'find-held-keys',
  text: `select idempotency_key as "idempotencyKey", encode(fingerprint, 'hex') as fingerprint, transaction_id as "transactionId"
           from idempotency_keys
          where client = $1 and idempotency_key = any($2::text[])`,
};

/** The rows of keys that are committed; a key that nobody holds is left out. */
export async function findHeldKeys(
  query: Query,
  client: string,
  keys: readonly string[],
): Promise<HeldKey[]> {
  return await query<HeldKey>(findHeldKeysStatement, [client, textArray(keys)]);
}

const purgeStatement = {
  name: 'purge-idempotency-keys',
  text: `with old as (
           select client, idempotency_key from idempotency_keys
            where received_at < $1
            limit $2
            for update skip locked
         ), gone as (
           delete from idempotency_keys k using old
            where k.client = old.client and k.idempotency_key = old.idempotency_key
              and k.received_at < $1
           returning 1
         )
         select count(*)::int4 as purged from gone`,
};

/** Forgets at most `rowsMax` keys received before a time; returns how many. */
export async function purgeIdempotencyKeys(
  database: Pick<Database, 'query'>,
  before: Date,
  rowsMax: number,
): Promise<number> {
  const [row] = await database.query<{ purged: number }>(purgeStatement, [before, rowsMax]);
  return row?.purged ?? 0;
}
