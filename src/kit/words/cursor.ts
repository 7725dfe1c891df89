/**
 * Keyset cursors: where a list that runs (time, id) descending goes on. To a client a cursor is an
 * opaque text; it is bound to nothing, so filters may change between pages. 24 bytes as base64url:
 * the time as epoch milliseconds (u64, big-endian), then the id. No two texts mean the same position.
 */
import type { z } from 'zod';
import { WRITTEN_MS_MAX } from './wire-time.ts';

/** Everything strictly before (atMs, id) is still to come. */
export type Position = { readonly atMs: number; readonly id: string };

const CURSOR = /^[A-Za-z0-9_-]{32}$/;

/** Sorts before every id. */
export const FIRST_ID = '00000000-0000-0000-0000-000000000000';

export function encodeCursor(position: Position): string {
  const bytes = Buffer.alloc(24);
  bytes.writeBigUInt64BE(BigInt(position.atMs), 0);
  bytes.write(position.id.replaceAll('-', ''), 8, 'hex');
  return bytes.toString('base64url');
}

/** Reads a cursor; undefined for a text that the engine did not make. */
export function decodeCursor(cursor: string): Position | undefined {
  if (!CURSOR.test(cursor)) return undefined;
  const bytes = Buffer.from(cursor, 'base64url');
  const atMs = bytes.readBigUInt64BE(0);
  if (atMs > WRITTEN_MS_MAX) return undefined;
  return { atMs: Number(atMs), id: uuidOf(bytes.toString('hex', 8)) };
}

/** The canonical text of a UUID's 32 hexadecimal digits. */
export const uuidOf = (hex: string) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');

const UUID_BYTES = 16;

/** UUIDs of 16 bytes each, one behind the other. */
export const uuidsIn = (bytes: Buffer): string[] =>
  Array.from({ length: bytes.length / UUID_BYTES }, (_, nth) =>
    uuidOf(bytes.toString('hex', nth * UUID_BYTES, (nth + 1) * UUID_BYTES)),
  );

/** A cursor of more fields than a time and an id, as JSON in base64url. */
export const encodeJsonCursor = (fields: readonly unknown[]): string =>
  Buffer.from(JSON.stringify(fields)).toString('base64url');

/** Reads the fields; undefined for a text that `encodeJsonCursor` did not make. */
export function decodeJsonCursor<Schema extends z.ZodType<readonly unknown[]>>(
  cursor: string,
  schema: Schema,
): z.output<Schema> | undefined {
  const fields = schema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString())).data;
  return fields !== undefined && encodeJsonCursor(fields) === cursor ? fields : undefined;
}

/** @returns undefined where the text is no JSON */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Most milliseconds that a UUIDv7 can hold: 48 bits. */
const TIME_MS_MAX = 2 ** 48 - 1;

/** The smallest UUID of a moment: every id created at or after it is greater, every earlier one smaller. */
export function lowestIdAt(epochMs: number): string {
  const time = Math.min(Math.max(epochMs, 0), TIME_MS_MAX).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-0000-0000-000000000000`;
}
