/**
 * A growable list of fixed-size packed items, rising by (created_at, transaction_id), each at most once.
 *
 * An item begins with created_at (f64, epoch ms), then bytes 8..15 of the UUIDv7 (two u32); its last
 * four bytes are bytes 6..7 of the UUID (u16) and the currency (u16). The UUID's first six bytes are
 * created_at, so this is the whole identity, and its order is Postgres' order. Little-endian throughout.
 */
import type { Position } from '../domain/history.ts';
import type { TakeBytes } from './arena.ts';
import { hexDigits } from './pack.ts';

export type PackedList = {
  readonly itemBytes: number;
  readonly take: TakeBytes;
  count: number;
  /** `count` items, and room for more. */
  items: DataView<ArrayBuffer>;
  /** The oldest items were dropped, so the prefix in front of the items is out of date as well. */
  isCut: boolean;
  /** Counts insertions and removals that moved older items. */
  moves: number;
};

/** A place in the order, unpacked. */
export type Place = { ms: number; top: number; high: number; low: number };

export const BEFORE_ALL: Place = { ms: Number.NEGATIVE_INFINITY, top: 0, high: 0, low: 0 };
export const AFTER_ALL: Place = { ms: Number.POSITIVE_INFINITY, top: 0, high: 0, low: 0 };
export const PLACE_BYTES = 24;
const BARE_ITEM_BYTES = 20;

/** Offsets of the parts of an item's place. */
const HIGH_AT = 8;
const LOW_AT = 12;
const TOP_BEFORE_END = 4;

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

export function createList(itemBytes: number, capacity: number, take: TakeBytes): PackedList {
  const items = take(itemBytes * Math.max(capacity, 1));
  return { itemBytes, take, count: 0, items, isCut: false, moves: 0 };
}

/**
 * A list of the items that fill this many bytes at the beginning of a view; the rest of the view is room for more.
 * Undefined where the bytes are no whole number of items.
 */
export function adoptList(
  itemBytes: number,
  bytes: number,
  items: DataView<ArrayBuffer>,
  take: TakeBytes,
): PackedList | undefined {
  const count = bytes / itemBytes;
  if (!Number.isInteger(count)) return undefined;
  return { itemBytes, take, count, items, isCut: false, moves: 0 };
}

/** The packed bytes of all items: a view that holds until the list changes. */
export function packedBytes({ items, itemBytes, count }: PackedList): Uint8Array {
  return new Uint8Array(items.buffer, items.byteOffset, count * itemBytes);
}

function bytesOf({ buffer, byteOffset, byteLength }: DataView<ArrayBuffer>): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

export function placeAt(list: PackedList, index: number): Place {
  const { items, itemBytes } = list;
  return readItemPlace(items, index * itemBytes, itemBytes);
}

export function timeAt({ items, itemBytes }: PackedList, index: number): number {
  return items.getFloat64(index * itemBytes, true);
}

/** Number of items before a place. */
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

/** Number of items older than a time. The first `from` are known to be; most often the answer is near. */
export function countOlder(list: PackedList, ms: number, from = 0): number {
  const { count } = list;
  let start = from;
  let step = 1;
  while (start + step <= count && timeAt(list, start + step - 1) < ms) {
    start += step;
    step *= 2;
  }
  let end = Math.min(count, start + step);
  while (start < end) {
    const middle = (start + end) >> 1;
    if (timeAt(list, middle) < ms) start = middle + 1;
    else end = middle;
  }
  return start;
}

/** Index of the first item in [from, end) with a time after `ms`. Newest windows are short: from the end. */
export function firstAfter(list: PackedList, from: number, end: number, ms: number): number {
  let index = end;
  while (index > from && timeAt(list, index - 1) > ms) index--;
  return index;
}

/** True when the item at `index` is the one at `place`. */
export function holdsAt(list: PackedList, index: number, place: Place): boolean {
  return index < list.count && compareAt(list, index, place) === 0;
}

function compareAt(list: PackedList, index: number, place: Place): number {
  const { items, itemBytes } = list;
  const at = index * itemBytes;
  const ms = items.getFloat64(at, true);
  if (ms !== place.ms) return ms < place.ms ? -1 : 1;
  return (
    items.getUint16(at + itemBytes - TOP_BEFORE_END, true) - place.top ||
    items.getUint32(at + HIGH_AT, true) - place.high ||
    items.getUint32(at + LOW_AT, true) - place.low
  );
}

/** Makes room for one item at `index`, which the caller writes; returns its offset. */
export function openItem(list: PackedList, index: number): number {
  const { itemBytes } = list;
  if ((list.count + 1) * itemBytes > list.items.byteLength) grow(list);
  if (index < list.count) {
    const bytes = bytesOf(list.items);
    bytes.copyWithin((index + 1) * itemBytes, index * itemBytes, list.count * itemBytes);
    list.moves++;
  }
  list.count++;
  return index * itemBytes;
}

/** Removes the oldest items. */
export function dropOldest(list: PackedList, count: number): void {
  const { itemBytes } = list;
  bytesOf(list.items).copyWithin(0, count * itemBytes, list.count * itemBytes);
  list.count -= count;
  list.isCut = true;
  list.moves++;
}

/** Reads the place of the packed item at an offset. */
export function readItemPlace(view: DataView, at: number, itemBytes: number): Place {
  return {
    ms: view.getFloat64(at, true),
    high: view.getUint32(at + HIGH_AT, true),
    low: view.getUint32(at + LOW_AT, true),
    top: view.getUint16(at + itemBytes - TOP_BEFORE_END, true),
  };
}

export function writeItemPlace(view: DataView, at: number, itemBytes: number, place: Place): void {
  view.setFloat64(at, place.ms, true);
  view.setUint32(at + HIGH_AT, place.high, true);
  view.setUint32(at + LOW_AT, place.low, true);
  view.setUint16(at + itemBytes - TOP_BEFORE_END, place.top, true);
}

/** Inserts a packed item, unless the list has it. Returns its index; -1 where the list had it. */
export function insertPacked(list: PackedList, place: Place, from: DataView, at: number): number {
  const index = countBefore(list, place);
  if (holdsAt(list, index, place)) return -1;
  const to = openItem(list, index);
  const { items, itemBytes } = list;
  // Copies word by word: a view for so few bytes takes longer.
  for (let word = 0; word < itemBytes; word += 4) {
    items.setUint32(to + word, from.getUint32(at + word, true), true);
  }
  return index;
}

function grow(list: PackedList): void {
  const { items, itemBytes, take } = list;
  const capacity = items.byteLength / itemBytes;
  const wider = take(itemBytes * (capacity + (capacity >> 2) + 4));
  bytesOf(wider).set(bytesOf(items));
  list.items = wider;
}

/** Writes a place as its 24 stored bytes: an item without fields, padded to whole words of 8 bytes. */
export function writePlace(view: DataView, offset: number, place: Place): void {
  view.setFloat64(offset + 16, 0, true);
  writeItemPlace(view, offset, BARE_ITEM_BYTES, place);
}

export function readPlace(body: DataView, offset: number): Place {
  const ms = body.getFloat64(offset, true);
  if (ms === AFTER_ALL.ms) return AFTER_ALL;
  if (ms === BEFORE_ALL.ms) return BEFORE_ALL;
  return readItemPlace(body, offset, BARE_ITEM_BYTES);
}
