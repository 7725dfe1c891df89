/**
 * A growable list of fixed-size packed records, rising by (created_at, transaction_id), each at most once. Little-endian:
 *
 *   created_at (f64, epoch ms) | bytes 8..15 of the UUIDv7 (two u32) | fields of the kind | bytes 6..7 (u16) | currency (u16)
 *
 * The UUID's first six bytes are created_at, so a record has the whole identity, and its order is Postgres' order.
 */
import type { Position } from '../domain/transaction.ts';

export type PackedList = {
  readonly recordBytes: number;
  readonly take: TakeBytes;
  count: number;
  /** `count` records, and room for more. */
  records: DataView<ArrayBuffer>;
  /** The oldest records were dropped, so the prefix in front of the records is out of date as well. */
  isCut: boolean;
};

export type RecordKey = { ms: number; top: number; high: number; low: number };

export const BEFORE_ALL: RecordKey = { ms: Number.NEGATIVE_INFINITY, top: 0, high: 0, low: 0 };
export const AFTER_ALL: RecordKey = { ms: Number.POSITIVE_INFINITY, top: 0, high: 0, low: 0 };
export const BOUND_BYTES = 24;
const BARE_RECORD_BYTES = 20;

/** Offsets of the parts of a record's key. */
const HIGH_AT = 8;
const LOW_AT = 12;
const TOP_BEFORE_END = 4;

export function keyOf({ createdAtMs, transactionId }: Position): RecordKey {
  return {
    ms: createdAtMs,
    top: hexDigits(transactionId, 14, 18),
    high: hexDigits(transactionId, 19, 28),
    low: hexDigits(transactionId, 28, 36),
  };
}

export function compareKeys(a: RecordKey, b: RecordKey): number {
  if (a.ms !== b.ms) return a.ms < b.ms ? -1 : 1;
  return a.top - b.top || a.high - b.high || a.low - b.low;
}

export function createList(recordBytes: number, capacity: number, take: TakeBytes): PackedList {
  const records = take(recordBytes * Math.max(capacity, 1));
  return { recordBytes, take, count: 0, records, isCut: false };
}

/**
 * A list of the records that fill this many bytes at the beginning of a view; the rest of the view is room for more.
 * Undefined where the bytes are no whole number of records.
 */
export function adoptList(
  recordBytes: number,
  bytes: number,
  records: DataView<ArrayBuffer>,
  take: TakeBytes,
): PackedList | undefined {
  const count = bytes / recordBytes;
  if (!Number.isInteger(count)) return undefined;
  return { recordBytes, take, count, records, isCut: false };
}

/** The packed bytes of all records: a view that holds until the list changes. */
export function packedBytes({ records, recordBytes, count }: PackedList): Uint8Array {
  return new Uint8Array(records.buffer, records.byteOffset, count * recordBytes);
}

function bytesOf({ buffer, byteOffset, byteLength }: DataView<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function keyAt(list: PackedList, index: number): RecordKey {
  const { records, recordBytes } = list;
  return readKey(records, index * recordBytes, recordBytes);
}

export function timeAt({ records, recordBytes }: PackedList, index: number): number {
  return records.getFloat64(index * recordBytes, true);
}

export function countBefore(list: PackedList, key: RecordKey): number {
  let start = 0;
  let end = list.count;
  while (start < end) {
    const middle = (start + end) >> 1;
    if (compareAt(list, middle, key) < 0) start = middle + 1;
    else end = middle;
  }
  return start;
}

/** Number of records older than a time. The first `from` are known to be. */
export function countOlder(list: PackedList, ms: number, from = 0): number {
  let start = from;
  let end = list.count;
  while (start < end) {
    const middle = (start + end) >> 1;
    if (timeAt(list, middle) < ms) start = middle + 1;
    else end = middle;
  }
  return start;
}

/** Index of the first record in [from, end) with a time after `ms`. Newest windows are short: from the end. */
export function firstAfter(list: PackedList, from: number, end: number, ms: number): number {
  let index = end;
  while (index > from && timeAt(list, index - 1) > ms) index--;
  return index;
}

export function hasAt(list: PackedList, index: number, key: RecordKey): boolean {
  return index < list.count && compareAt(list, index, key) === 0;
}

function compareAt(list: PackedList, index: number, key: RecordKey): number {
  const { records, recordBytes } = list;
  const at = index * recordBytes;
  const ms = records.getFloat64(at, true);
  if (ms !== key.ms) return ms < key.ms ? -1 : 1;
  return (
    records.getUint16(at + recordBytes - TOP_BEFORE_END, true) - key.top ||
    records.getUint32(at + HIGH_AT, true) - key.high ||
    records.getUint32(at + LOW_AT, true) - key.low
  );
}

/** Makes room for one record at `index`, which the caller writes; returns its offset. */
export function openRecord(list: PackedList, index: number): number {
  const { recordBytes } = list;
  if ((list.count + 1) * recordBytes > list.records.byteLength) grow(list);
  if (index < list.count) {
    const bytes = bytesOf(list.records);
    bytes.copyWithin((index + 1) * recordBytes, index * recordBytes, list.count * recordBytes);
  }
  list.count++;
  return index * recordBytes;
}

export function dropOldest(list: PackedList, count: number): void {
  const { recordBytes } = list;
  bytesOf(list.records).copyWithin(0, count * recordBytes, list.count * recordBytes);
  list.count -= count;
  list.isCut = true;
}

export function readKey(view: DataView, at: number, recordBytes: number): RecordKey {
  return {
    ms: view.getFloat64(at, true),
    high: view.getUint32(at + HIGH_AT, true),
    low: view.getUint32(at + LOW_AT, true),
    top: view.getUint16(at + recordBytes - TOP_BEFORE_END, true),
  };
}

export function writeKey(view: DataView, at: number, recordBytes: number, key: RecordKey): void {
  view.setFloat64(at, key.ms, true);
  view.setUint32(at + HIGH_AT, key.high, true);
  view.setUint32(at + LOW_AT, key.low, true);
  view.setUint16(at + recordBytes - TOP_BEFORE_END, key.top, true);
}

/** Inserts a packed record, unless the list has it. */
export function insertPacked(list: PackedList, key: RecordKey, from: DataView, at: number): void {
  const index = countBefore(list, key);
  if (hasAt(list, index, key)) return;
  const to = openRecord(list, index);
  const { records, recordBytes } = list;
  // Copies word by word: a view for so few bytes takes longer.
  for (let word = 0; word < recordBytes; word += 4) {
    records.setUint32(to + word, from.getUint32(at + word, true), true);
  }
}

function grow(list: PackedList): void {
  const { records, recordBytes, take } = list;
  const capacity = records.byteLength / recordBytes;
  const wider = take(recordBytes * (capacity + (capacity >> 2) + 4));
  bytesOf(wider).set(bytesOf(records));
  list.records = wider;
}

/** Writes a key as its 24 stored bytes: a record without fields, padded to whole words of 8 bytes. */
export function writeBound(view: DataView, offset: number, key: RecordKey): void {
  view.setFloat64(offset + 16, 0, true);
  writeKey(view, offset, BARE_RECORD_BYTES, key);
}

export function readBound(body: DataView, offset: number): RecordKey {
  const ms = body.getFloat64(offset, true);
  if (ms === AFTER_ALL.ms) return AFTER_ALL;
  if (ms === BEFORE_ALL.ms) return BEFORE_ALL;
  return readKey(body, offset, BARE_RECORD_BYTES);
}

/**
 * Packs upper-case letters, 5 bits each, other characters skipped: at most 6 letters. Null is 0. Codes become exact numbers so;
 * identifiers become 32-bit hashes (two of at most 256 siblings collide once in 10^5 full accounts).
 */
export function packLetters(code: string | null): number {
  if (code === null) return 0;
  let packed = 0;
  for (let index = 0; index < code.length; index++) {
    const letter = code.charCodeAt(index) - 64;
    if (letter > 0 && letter < 27) packed = (packed << 5) | letter;
  }
  return packed;
}

/** 32-bit hash of an identifier by UTF-16 unit (murmur3's mixing); never 0, which stands for absent. */
export function hashText(text: string | null): number {
  if (text === null) return 0;
  let hash = text.length;
  for (let index = 0; index < text.length; index++) hash = mix(hash, text.charCodeAt(index));
  return finish(hash);
}

function mix(hash: number, unit: number): number {
  const word = Math.imul(unit, 0xcc9e2d51);
  const mixed = hash ^ Math.imul((word << 15) | (word >>> 17), 0x1b873593);
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

function finish(mixed: number): number {
  let hash = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0 || 1;
}

/** Value of hexadecimal digits of a UUID, from `start` (inclusive) to `end`; hyphens are skipped. */
export function hexDigits(uuid: string, start: number, end: number): number {
  let value = 0;
  for (let index = start; index < end; index++) {
    const code = uuid.charCodeAt(index);
    if (code !== 45) value = (value << 4) | (code > 57 ? (code & 0xf) + 9 : code & 0xf);
  }
  return value >>> 0;
}

/**
 * Gives this many bytes, of any content. A batch uses as many profiles as it has transactions, for milliseconds: these share one
 * arena that is reused, as a buffer for each list would be external memory for the garbage collector to track.
 */
export type TakeBytes = (bytes: number) => DataView<ArrayBuffer>;

/** Memory for one list at a time. */
export type Arena = {
  readonly take: TakeBytes;
  /** Frees what was taken, for the next list. */
  readonly reset: () => TakeBytes;
};

/** A buffer of its own, with the lifetime of its list. */
export const takeOwn: TakeBytes = (bytes) => new DataView(new ArrayBuffer(bytes));

/** Gives the bytes of a buffer from `begin` on; once these are used up, buffers of their own. */
export function createArena(buffer: ArrayBuffer, begin: number): Arena {
  let at = begin;
  const take: TakeBytes = (bytes) => {
    if (at + bytes > buffer.byteLength) return takeOwn(bytes);
    const view = new DataView(buffer, at, bytes);
    at += bytes;
    return view;
  };
  return {
    take,
    reset() {
      at = begin;
      return take;
    },
  };
}
