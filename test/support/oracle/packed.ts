/**
 * How the oracle reads profiles: packed lists by the offsets of their stored form, tallies and frauds one by one. Nothing of
 * it is the engine's code, so that a mistake there is not made here.
 */
import {
  FRAUDS_SEEN_MAX,
  type FraudSpan,
  type Position,
} from '../../../src/core/domain/history.ts';
import type { PackedList } from '../../../src/core/profile/packed-list.ts';
import type { Tallies } from '../../../src/core/profile/tallies.ts';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

export const hourOf = (ms: number): number => ms - (ms % HOUR_MS);
export const dayOf = (ms: number): number => ms - (ms % DAY_MS);

const ACCOUNT_RECORD_BYTES = 40;
const MERCHANT_RECORD_BYTES = 32;
const COUNTRY_BITS = 10;

/** Epoch milliseconds. */
export function timeAt({ records, recordBytes }: PackedList, index: number): number {
  return records.getFloat64(index * recordBytes, true);
}

/** Minor units, in the list of either party. */
export function amountAt({ records, recordBytes }: PackedList, index: number): number {
  return records.getFloat64(index * recordBytes + 16, true);
}

/** 15 bits, in the list of either party. */
export function currencyAt({ records, recordBytes }: PackedList, index: number): number {
  return records.getUint16((index + 1) * recordBytes - 2, true) & 0x7fff;
}

export const ofAccount = {
  merchantAt: ({ records }: PackedList, index: number) =>
    records.getUint32(index * ACCOUNT_RECORD_BYTES + 24, true),
  deviceAt: ({ records }: PackedList, index: number) =>
    records.getUint32(index * ACCOUNT_RECORD_BYTES + 28, true),
  corridorAt: ({ records }: PackedList, index: number) =>
    records.getUint32(index * ACCOUNT_RECORD_BYTES + 32, true) >>> COUNTRY_BITS,
  countryAt: ({ records }: PackedList, index: number) =>
    records.getUint32(index * ACCOUNT_RECORD_BYTES + 32, true) % 2 ** COUNTRY_BITS,
  wasNightAt: ({ records }: PackedList, index: number) =>
    records.getUint16(index * ACCOUNT_RECORD_BYTES + 38, true) >= 0x8000,
};

/** Hash of the account, in the list of a merchant. */
export function accountAt({ records }: PackedList, index: number): number {
  return records.getUint32(index * MERCHANT_RECORD_BYTES + 24, true);
}

/** Index of the first record in [from, end) with a time after `ms`. */
export function firstAfter(list: PackedList, from: number, end: number, ms: number): number {
  for (let index = end; index > from; index--) if (timeAt(list, index - 1) <= ms) return index;
  return from;
}

/** Number of records before a position in the order (created_at, transaction_id). */
export function countBefore(list: PackedList, position: Position): number {
  const id = position.transactionId.replaceAll('-', '');
  for (let index = list.count; index > 0; index--) {
    const ms = timeAt(list, index - 1);
    if (ms > position.createdAtMs) continue;
    if (ms < position.createdAtMs || idAt(list, index - 1) < id.slice(12)) return index;
  }
  return 0;
}

/** The hexadecimal digits of a record's UUID after its first six bytes, which are the time. */
function idAt({ records, recordBytes }: PackedList, index: number): string {
  const at = index * recordBytes;
  const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0');
  const top = hex(records.getUint16(at + recordBytes - 4, true), 4);
  return top + hex(records.getUint32(at + 8, true), 8) + hex(records.getUint32(at + 12, true), 8);
}

function read({ packed, length }: Tallies) {
  return Array.from({ length }, (_, index) => ({
    bucketMs: packed.getFloat64(24 * index, true),
    sum: packed.getFloat64(24 * index + 8, true),
    count: packed.getUint32(24 * index + 16, true),
    currency: packed.getUint16(24 * index + 20, true),
  }));
}

/** Transactions tallied in buckets that begin before a time. */
export function countTallied(tallies: Tallies, ms: number): number {
  let count = 0;
  for (const tally of read(tallies)) if (tally.bucketMs < ms) count += tally.count;
  return count;
}

/** Sum and count of one currency, in buckets that begin at a time or later. */
export function sumTallied(tallies: Tallies, fromMs: number, currency: number) {
  const found = read(tallies).filter(
    (tally) => tally.bucketMs >= fromMs && tally.currency === currency,
  );
  let [sum, count] = [0, 0];
  for (const tally of found) {
    sum += tally.sum;
    count += tally.count;
  }
  return { sum, count };
}

/** Frauds created in [sinceMs, atMs) that were known at `atMs`: the newest, the newest first. */
export function seenFrauds(spans: readonly FraudSpan[], atMs: number, sinceMs: number) {
  const seen = spans.filter(
    ({ createdAtMs, fromMs, untilMs }) =>
      createdAtMs >= sinceMs && createdAtMs < atMs && fromMs <= atMs && untilMs > atMs,
  );
  return seen.reverse().slice(0, FRAUDS_SEEN_MAX);
}

/** Frauds created in [fromMs, toMs). */
export function countCreated(frauds: readonly FraudSpan[], fromMs: number, toMs: number): number {
  return frauds.filter(({ createdAtMs }) => createdAtMs >= fromMs && createdAtMs < toMs).length;
}

/** A transaction is added, so that one fraud of one transaction is not a rate of 1. */
export const fraudRate = (frauds: number, transactions: number) => frauds / (transactions + 1);
