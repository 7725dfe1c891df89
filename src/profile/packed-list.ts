/**
 * A growable list of fixed-size packed items, rising by (created_at, transaction_id), each at most once.
 * It remembers how much of it the stored copy already holds, so that in-order arrivals are written as
 * an append. Little-endian machines only, as every platform of the pinned Node is.
 *
 * An item begins with created_at (f64, epoch ms), then bytes 8..15 of the UUIDv7 (two u32); its last
 * four bytes are bytes 6..7 of the UUID (u16) and the currency (u16). The UUID's first six bytes are
 * created_at, so this is the whole identity, and its order is Postgres' order.
 */
import type { Position } from '../domain/history.ts';
import { hexDigits } from './pack.ts';

export type PackedList = {
  readonly itemBytes: number;
  count: number;
  /** Three views of one buffer. */
  doubles: Float64Array<ArrayBuffer>;
  words: Uint32Array<ArrayBuffer>;
  halves: Uint16Array<ArrayBuffer>;
  /** How many leading items the stored copy holds in these very places; -1: it must be replaced. */
  storedCount: number;
  /** Counts what invalidated places that a write in flight may have written. */
  moves: number;
};

/** A place in the order, unpacked. */
export type Place = { ms: number; top: number; high: number; low: number };

export const BEFORE_ALL: Place = { ms: Number.NEGATIVE_INFINITY, top: 0, high: 0, low: 0 };
export const AFTER_ALL: Place = { ms: Number.POSITIVE_INFINITY, top: 0, high: 0, low: 0 };
export const PLACE_BYTES = 24;

export function placeOf({ createdAtMs, transactionId }: Position): Place {
  return {
    ms: createdAtMs,
    top: hexDigits(transactionId, 14, 18),
    high: hexDigits(transactionId, 19, 28),
    low: hexDigits(transactionId, 28, 36),
  };
}

export function comparePlaces(a: Place, b: Place): number {
  if (a.ms !== b.ms) return a.ms < b.ms ? -1 : 1;
  return a.top - b.top || a.high - b.high || a.low - b.low;
}

export function createList(itemBytes: number, capacity: number): PackedList {
  const buffer = new ArrayBuffer(itemBytes * Math.max(capacity, 1));
  return {
    itemBytes,
    count: 0,
    doubles: new Float64Array(buffer),
    words: new Uint32Array(buffer),
    halves: new Uint16Array(buffer),
    storedCount: -1,
    moves: 0,
  };
}

/** A list over stored bytes (copied), with room for a few arrivals. */
export function readList(itemBytes: number, bytes: Buffer): PackedList {
  const count = bytes.length / itemBytes;
  const list = createList(itemBytes, count + (count >> 3) + 2);
  new Uint8Array(list.doubles.buffer).set(bytes);
  list.count = count;
  list.storedCount = count;
  return list;
}

/** A copy of the packed bytes from one item to another. */
export function listBytes(list: PackedList, from: number, to: number): Buffer {
  const bytes = Buffer.from(
    list.doubles.buffer,
    from * list.itemBytes,
    (to - from) * list.itemBytes,
  );
  return Buffer.from(bytes);
}

export function placeAt(list: PackedList, index: number): Place {
  const { doubles, words, halves, itemBytes } = list;
  return {
    ms: doubles[(index * itemBytes) / 8] ?? Number.NaN,
    high: words[(index * itemBytes) / 4 + 2] ?? 0,
    low: words[(index * itemBytes) / 4 + 3] ?? 0,
    top: halves[((index + 1) * itemBytes) / 2 - 2] ?? 0,
  };
}

/** How many items stand before a place. */
export function countBefore(list: PackedList, place: Place): number {
  let end = list.count;
  // Arrivals are nearly in order, so the place is nearly always at the end.
  for (const near = Math.max(0, end - 8); end > near; end--) {
    if (compareAt(list, end - 1, place) < 0) return end;
  }
  let start = 0;
  while (start < end) {
    const middle = (start + end) >> 1;
    if (compareAt(list, middle, place) < 0) start = middle + 1;
    else end = middle;
  }
  return start;
}

/** True when the item at `index` is the one at `place`. */
export function holdsAt(list: PackedList, index: number, place: Place): boolean {
  return index < list.count && compareAt(list, index, place) === 0;
}

function compareAt(list: PackedList, index: number, place: Place): number {
  const ms = list.doubles[(index * list.itemBytes) >> 3] ?? 0;
  if (ms !== place.ms) return ms < place.ms ? -1 : 1;
  const word = (index * list.itemBytes) >> 2;
  const top = list.halves[(((index + 1) * list.itemBytes) >> 1) - 2] ?? 0;
  return (
    top - place.top ||
    (list.words[word + 2] ?? 0) - place.high ||
    (list.words[word + 3] ?? 0) - place.low
  );
}

/** Makes room for one item at `index`; the caller fills it. */
export function openItem(list: PackedList, index: number): void {
  const { itemBytes } = list;
  if ((list.count + 1) * itemBytes > list.doubles.byteLength) grow(list);
  if (index < list.count) {
    const bytes = new Uint8Array(list.doubles.buffer);
    bytes.copyWithin((index + 1) * itemBytes, index * itemBytes, list.count * itemBytes);
    if (index < list.storedCount) replaceStored(list);
    else list.moves++;
  }
  list.count++;
}

/** Removes the oldest items. */
export function dropOldest(list: PackedList, count: number): void {
  const { itemBytes } = list;
  new Uint8Array(list.doubles.buffer).copyWithin(0, count * itemBytes, list.count * itemBytes);
  list.count -= count;
  replaceStored(list);
}

/** The stored copy no longer is a prefix of this list. */
export function replaceStored(list: PackedList): void {
  list.storedCount = -1;
  list.moves++;
}

function grow(list: PackedList): void {
  const items = list.doubles.byteLength / list.itemBytes;
  const wider = createList(list.itemBytes, items + (items >> 1) + 4);
  wider.doubles.set(list.doubles);
  list.doubles = wider.doubles;
  list.words = wider.words;
  list.halves = wider.halves;
}

/** Writes a place into its 24 stored bytes. */
export function writePlace(bytes: Buffer, offset: number, place: Place): void {
  bytes.writeDoubleLE(place.ms, offset);
  bytes.writeUInt32LE(place.high, offset + 8);
  bytes.writeUInt32LE(place.low, offset + 12);
  bytes.writeUInt32LE(place.top, offset + 16);
  bytes.writeUInt32LE(0, offset + 20);
}

export function readPlace(bytes: Buffer, offset: number): Place {
  return {
    ms: bytes.readDoubleLE(offset),
    high: bytes.readUInt32LE(offset + 8),
    low: bytes.readUInt32LE(offset + 12),
    top: bytes.readUInt32LE(offset + 16),
  };
}
