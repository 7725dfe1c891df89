/**
 * Reads a transaction's id. It is a UUIDv7 whose time part is `created_at` to the millisecond, so an id alone
 * names its partition, and the order of ids is the order of (created_at, id).
 */

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** 0001-01-01T00:00:00.000Z and 9999-12-31T23:59:59.999Z: between them RFC 3339 and Postgres write times alike. */
export const WRITTEN_MS_MIN = -62_135_596_800_000;
export const WRITTEN_MS_MAX = 253_402_300_799_999;

/** Most milliseconds that a UUIDv7 can hold: 48 bits. */
const TIME_MS_MAX = 2 ** 48 - 1;

/** The `created_at` of a lower-case UUIDv7, epoch milliseconds; undefined for anything else, and for years beyond 9999. */
export function createdAtMsOf(transactionId: string): number | undefined {
  if (!UUID_V7.test(transactionId)) return undefined;
  const ms = Number.parseInt(transactionId.slice(0, 8) + transactionId.slice(9, 13), 16);
  return ms <= WRITTEN_MS_MAX ? ms : undefined;
}

/** The smallest UUID of a moment: every id created at or after it is greater, every earlier one smaller. */
export function lowestIdAt(epochMs: number): string {
  const time = Math.min(Math.max(epochMs, 0), TIME_MS_MAX).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
