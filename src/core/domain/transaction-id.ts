/**
 * Reads a transaction's id. It is a UUIDv7 whose time part is `created_at` to the millisecond, so an id alone
 * names its partition, and the order of ids is the order of (created_at, id).
 */
import { WRITTEN_MS_MAX } from '../../kit/words/wire-time.ts';

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The `created_at` of a lower-case UUIDv7, epoch milliseconds; undefined for anything else, and for years beyond 9999. */
export function createdAtMsOf(transactionId: string): number | undefined {
  if (!UUID_V7.test(transactionId)) return undefined;
  const ms = Number.parseInt(transactionId.slice(0, 8) + transactionId.slice(9, 13), 16);
  return ms <= WRITTEN_MS_MAX ? ms : undefined;
}

/** Sorts before every id of that time and after all before it. */
export function firstIdOf(createdAtMs: number): string {
  const hex = createdAtMs.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
}
