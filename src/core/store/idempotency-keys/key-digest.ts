/**
 * The identifier of a client's idempotency key: 16 bytes of SHA-256, which `idempotency_digest` of sql/0001
 * computes too. Among 78 billion keys the chance that any two share a digest is 1 in 10^17, and a deliberate
 * collision takes 2^64 tries.
 */
import { hash } from 'node:crypto';
import { hexUuidArray, uuidOffset } from '../../../kit/database/binary-array.ts';

/**
 * The digests of several keys, in their order: a `uuid[]` as Postgres takes it, which the filters read in
 * place.
 */
export type KeyDigests = { readonly array: Buffer; readonly count: number };

export function digestKeys(client: string, keys: readonly string[]): KeyDigests {
  const array = hexUuidArray(keys.map((key) => hash('sha256', `${client}\0${key}`, 'hex')));
  return { array, count: keys.length };
}

/** The digests at some positions. */
export function pickDigests({ array }: KeyDigests, positions: readonly number[]): KeyDigests {
  const picked = positions.map((at) => array.toString('hex', uuidOffset(at), uuidOffset(at) + 16));
  return { array: hexUuidArray(picked), count: picked.length };
}
