/**
 * Idempotency keys and their holders. transactions.ts claims them; key-slice-rows.ts has their slices and drops
 * them.
 */
import { int4Array } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { digestKeys, type KeyDigests } from './key-digest.ts';

export type KnownKey = {
  /** Index among the keys that were asked for. */
  readonly position: number;
  /** The first 16 bytes of the body's SHA-256, in hexadecimal. */
  readonly fingerprint: string;
  readonly transactionId: string;
};

const FIND = `
  select ordinal::int4 - 1 as position, k.transaction_id as "transactionId",
         replace(k.fingerprint::text, '-', '') as fingerprint
    from unnest($1::uuid[]) with ordinality as u(digest, ordinal)
    join market.idempotency_keys k on k.digest = u.digest`;

const findInSlices = {
  name: 'find-keys-in-slices',
  text: `${FIND} where k.slice = any($2::int4[])`,
};

/** Keys that some sealed slices hold, by their position. */
export async function findKeysInSlices(
  query: Query,
  { array }: KeyDigests,
  slices: readonly number[],
): Promise<KnownKey[]> {
  return await query<KnownKey>(findInSlices, [array, int4Array(slices)]);
}

/**
 * Holders of keys in any slice, by their position. The statement is planned each time: a plan made while the
 * open slice had one page would read all of it once it has thousands.
 */
export async function findKeys(query: Query, { array }: KeyDigests): Promise<KnownKey[]> {
  return await query<KnownKey>({ text: FIND }, [array]);
}

/** The transactions of a client's keys that are committed; a key that nobody holds is left out. */
export async function findKnownKeys(
  query: Query,
  client: string,
  keys: readonly string[],
): Promise<{ readonly idempotencyKey: string; readonly transactionId: string }[]> {
  const found = await findKeys(query, digestKeys(client, keys));
  return found.map(({ position, transactionId }) => ({
    idempotencyKey: keys[position] as string,
    transactionId,
  }));
}
