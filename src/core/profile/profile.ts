/**
 * Interface of every profile, account and merchant alike; all of it is pure:
 *
 *   readLog(bytes) or rebuild(past)
 *     -> merge(profile, record), for what other workers appended
 *     -> fold(profile, arrival), as often as the batch needs
 *     -> writeProfile(profile)
 *
 * fold and merge find a record that the profile has by (created_at, transaction_id), so a repeated record changes nothing and
 * sees the same siblings.
 */
import type { Transaction } from '../domain/transaction.ts';
import type { TakeBytes } from './arena.ts';
import type { Arrivals } from './arrivals.ts';
import { type PackedList, packedBytes, type RecordKey } from './packed-list.ts';

/** State that all kinds share. Written by the functions of `ProfileKind` only. */
export type Profile = {
  readonly list: PackedList;
  /** Transactions after it are in no part of the profile; AFTER_ALL where it has all of them. */
  readonly ceiling: RecordKey;
  /**
   * The profile counts every row up to the ceiling that database transactions before this id stored; 0 where that is not known. Only
   * merchants store it, as rows before an account's list count nowhere.
   */
  countedTo: number;
};

/** How a kind packs its profiles: a prefix, which begins with the key after which the list has every row, then the list's records. */
export type ProfileLayout<P extends Profile> = {
  /** Identifies the bytes of this kind and version, 1..127. */
  readonly format: number;
  /** Whole words of 8 bytes, so that records are aligned where the prefix is. */
  prefixBytes(profile: P): number;
  writePrefix(profile: P, view: DataView): void;
};

/** A kind of profile. `Past` is what Postgres gives for a rebuild (domain/history.ts). */
export type ProfileKind<P extends Profile, Past> = {
  readonly party: 'account' | 'merchant';
  readonly recordBytes: number;
  /** Whether transactions before the list count on, without their ids. */
  readonly hasTallies: boolean;
  readonly layout: ProfileLayout<P>;
  partyOf(transaction: Transaction): string;
  writeRecord(view: DataView, at: number, arrivals: Arrivals, arrival: number): void;
  /**
   * Reads a packed profile, the first `length` bytes of a view, and takes its bytes over; undefined when it is
   * damaged or was made with other settings, and has to be rebuilt. `take` provides memory when its list grows.
   */
  decode(view: DataView<ArrayBuffer>, length: number, take: TakeBytes): P | undefined;
  rebuild(past: Past, take?: TakeBytes): P;
  /**
   * Folds an arrival, and writes what this party gives it into its row of features. False, with nothing changed, where this
   * profile does not reach far enough; a `rebuild` around the transaction always does.
   * @param rowAt where the row begins in `values`
   */
  fold(
    profile: P,
    arrivals: Arrivals,
    arrival: number,
    values: Float64Array,
    rowAt: number,
  ): boolean;
  /**
   * Merges the packed record at an offset. False where the profile cannot tell whether it has counted the record,
   * and has to be rebuilt.
   */
  merge(profile: P, records: DataView, at: number): boolean;
};

export function profileBytes<P extends Profile>(layout: ProfileLayout<P>, profile: P): number {
  const { count, recordBytes } = profile.list;
  return layout.prefixBytes(profile) + count * recordBytes;
}

/** Packs a profile into the beginning of a view, which may hold its own records already. */
export function writeProfile<P extends Profile>(
  layout: ProfileLayout<P>,
  profile: P,
  view: DataView<ArrayBuffer>,
): void {
  const records = packedBytes(profile.list);
  const prefixBytes = layout.prefixBytes(profile);
  // The records move first, as a longer prefix would overwrite them.
  new Uint8Array(view.buffer, view.byteOffset + prefixBytes, records.length).set(records);
  layout.writePrefix(profile, view);
}

export function viewFrom({ buffer, byteOffset, byteLength }: DataView<ArrayBuffer>, from: number) {
  return new DataView(buffer, byteOffset + from, byteLength - from);
}
