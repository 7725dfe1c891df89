/**
 * Idempotency keys and their holders. transactions.ts claims them; key-slice-rows.ts has their slices and drops
 * them.
 */

import { hash } from 'node:crypto';
import { hexUuidArray, int4Array, uuidOffset } from '../../../kit/database/binary-array.ts';
import type { Query } from '../../../kit/database/pool.ts';

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

/**
 * The digests of several keys, in their order: a `uuid[]` as Postgres takes it, which the filters read in
 * place.
 */
export type KeyDigests = { readonly array: Buffer; readonly count: number };

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

/** Holders of a client's keys, by their position; a key that nobody holds is left out. */
export const findKnownKeys = (query: Query, client: string, keys: readonly string[]) =>
  findKeys(query, digestKeys(client, keys));

/**
 * The identifier of a client's idempotency key: 16 bytes of SHA-256, which `idempotency_digest` of sql/0001
 * computes too. Among 78 billion keys the chance that any two share a digest is 1 in 10^17, and a deliberate
 * collision takes 2^64 tries.
 */
export function digestKeys(client: string, keys: readonly string[]): KeyDigests {
  const array = hexUuidArray(keys.map((key) => hash('sha256', `${client}\0${key}`, 'hex')));
  return { array, count: keys.length };
}

/** The digests at some positions. */
export function pickDigests({ array }: KeyDigests, positions: readonly number[]): KeyDigests {
  const picked = positions.map((at) => array.toString('hex', uuidOffset(at), uuidOffset(at) + 16));
  return { array: hexUuidArray(picked), count: picked.length };
}
