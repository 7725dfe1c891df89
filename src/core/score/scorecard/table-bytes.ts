/** The bytes of a table of the day. Scores name a table by the hash of its bytes, so equal tables have equal bytes. */
import { createHash } from 'node:crypto';
import type { DayTable } from './day-table.ts';
import { decode, encode } from './value-bytes.ts';

/** First byte of a table. Each change of the form, the measures or the newest rules raises it: older versions judge by no such table. */
export const FORM = 1;

export const encodeTable = (table: DayTable): Uint8Array => encode(FORM, table);

/** @throws Error for bytes that are no table */
export const decodeTable = (bytes: Uint8Array): DayTable => decode<DayTable>(FORM, bytes);

/** Hex. */
export const hashTable = (bytes: Uint8Array): string =>
  createHash('sha256').update(bytes).digest('hex');
