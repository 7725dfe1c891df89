/**
 * Interface of every profile, of whatever party; all of it is pure:
 *
 *   readLog(bytes) or rebuild(past)
 *     -> merge(profile, record), for what other workers appended
 *     -> fold(profile, arrival), as often as the batch needs
 *     -> writeProfile(profile)
 *
 * fold and merge find a record that the profile has by (created_at, transaction_id), so a repeated record changes nothing and
 * sees the same siblings.
 */
import type { PartyKind, Transaction } from '../domain/transaction.ts';
import type { DayTable } from '../score/scorecard/day-table.ts';
import type { Numbers } from './account-numbers.ts';
import type { Arrivals } from './arrivals.ts';
import {
  type PackedList,
  packedBytes,
  type RecordKey,
  type TakeBytes,
  takeOwn,
} from './packed-list.ts';

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
  readonly party: PartyKind;
  readonly recordBytes: number;
  /** Declared numbers that its records have, and the kind whose records have others; absent where records have none. */
  readonly numbers?: Numbers;
  readonly withNumbers?: (numbers: Numbers) => ProfileKind<P, Past>;
  /** Whether transactions before the list count on, without their ids. */
  readonly hasTallies: boolean;
  readonly layout: ProfileLayout<P>;
  /** Null where the transaction has no such party: its features are missing, and nothing is appended. */
  readonly partyOf: (transaction: Transaction) => string | null;
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

export type CrowdedTable = Pick<DayTable, 'crowded'>;

/** The party of a transaction, and whether it counts as absent by the table of the transaction's day; null without a table. */
export function partyIn(
  { party: kind, partyOf }: Pick<ProfileKind<never, never>, 'party' | 'partyOf'>,
  transaction: Transaction,
  table: CrowdedTable | null = null,
): { readonly party: string | null; readonly isCrowded: boolean } {
  const party = partyOf(transaction);
  const crowded = kind === 'device' || kind === 'address' ? table?.crowded[kind] : undefined;
  return { party, isCrowded: party !== null && crowded?.has(party) === true };
}

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

/**
 * How a party's profile stands in Redis: a log of blocks, the first of which is a snapshot of the whole profile, and each
 * later one has the records of one append. Little-endian:
 *
 *   block = tag (u8): the kind's format, with RECORDS_FLAG for records
 *           length of the contents (u24), contents
 *           stamp (8 bytes): random, of one append
 *
 * A length, and the stamp in front of it, prove that a log still begins with a known prefix: a log that was lost, rebuilt or
 * invalidated since has another stamp there. A log without a snapshot says that somebody rebuilds the profile.
 */
export const STAMP_BYTES = 8;
const HEADER_BYTES = 4;
const RECORDS_FLAG = 0x80;
/** Bytes of a block beside its contents. */
export const BLOCK_BYTES = HEADER_BYTES + STAMP_BYTES;
/** Records of one party in one batch are nearly always fewer; a larger list is moved once. */
const ROOM_FOR_ARRIVALS_BYTES = 128;

type Kind<P extends Profile> = ProfileKind<P, never>;

/** Random bytes: the last ones of every block of one append. */
export type Stamp = { readonly high: number; readonly low: number };

/** A position up to which a log is known. */
export type LogEnd = Stamp & { readonly length: number };

/** Begins a block of records, which are written at the offset that is returned. */
export function beginRecords(view: DataView, at: number, format: number, bytes: number): number {
  return beginBlock(view, at, format | RECORDS_FLAG, bytes);
}

/** A whole profile as a block. `take` gives it memory with any content. */
export function encodeSnapshot<P extends Profile>(
  { layout }: Kind<P>,
  profile: P,
  stamp: Stamp,
  take: TakeBytes = takeOwn,
): Uint8Array {
  const length = profileBytes(layout, profile);
  const view = take(length + BLOCK_BYTES);
  const at = beginBlock(view, 0, layout.format, length);
  writeProfile(layout, profile, viewFrom(view, at));
  endBlock(view, at + length, stamp);
  return new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
}

function beginBlock(view: DataView, at: number, tag: number, bytes: number): number {
  view.setUint32(at, ((bytes << 8) | tag) >>> 0, true);
  return at + HEADER_BYTES;
}

/** Ends a block after its contents; returns where the next one begins. */
export function endBlock(view: DataView, at: number, { high, low }: Stamp): number {
  view.setUint32(at, high, true);
  view.setUint32(at + 4, low, true);
  return at + STAMP_BYTES;
}

/** The stamp of a log's last block. */
export function lastStamp(log: Uint8Array): Stamp {
  const view = viewOf(log);
  const at = log.length - STAMP_BYTES;
  return { high: view.getUint32(at, true), low: view.getUint32(at + 4, true) };
}

/**
 * Reads a whole log without the records of the block stamped `except`: its profile, and the length of its
 * snapshot; undefined when it must be rebuilt.
 */
export function readLog<P extends Profile>(
  kind: Kind<P>,
  log: Uint8Array,
  take: TakeBytes,
  except?: Stamp,
): { readonly profile: P; readonly snapshotBytes: number } | undefined {
  if (log.length < BLOCK_BYTES || log[0] !== kind.layout.format) return undefined;
  const view = viewOf(log);
  const length = view.getUint32(0, true) >>> 8;
  const snapshotBytes = length + BLOCK_BYTES;
  if (snapshotBytes > log.length) return undefined;
  const body = take(length + ROOM_FOR_ARRIVALS_BYTES);
  const contents = log.subarray(HEADER_BYTES, HEADER_BYTES + length);
  new Uint8Array(body.buffer, body.byteOffset, length).set(contents);
  const profile = kind.decode(body, length, take);
  if (profile === undefined) return undefined;
  if (mergeBlocks(kind, profile, log.subarray(snapshotBytes), except) < 0) return undefined;
  return { profile, snapshotBytes };
}

/**
 * Merges blocks of records, in their order, except for the one stamped `except`; returns how many records were
 * merged, or -1 when the profile must be rebuilt.
 */
export function mergeBlocks<P extends Profile>(
  { recordBytes, layout, merge }: Kind<P>,
  profile: P,
  blocks: Uint8Array,
  except?: Stamp,
): number {
  const view = viewOf(blocks);
  let records = 0;
  for (let at = 0; at < blocks.length; ) {
    if (blocks[at] !== (layout.format | RECORDS_FLAG)) return -1;
    const begin = at + HEADER_BYTES;
    const end = begin + (view.getUint32(at, true) >>> 8);
    at = end + STAMP_BYTES;
    if (at > blocks.length) return -1;
    if (except !== undefined && isStamp(view, end, except)) continue;
    for (let record = begin; record < end; record += recordBytes, records++) {
      if (!merge(profile, view, record)) return -1;
    }
  }
  return records;
}

function isStamp(view: DataView, at: number, { high, low }: Stamp): boolean {
  return view.getUint32(at, true) === high && view.getUint32(at + 4, true) === low;
}

function viewOf({ buffer, byteOffset, length }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, length);
}
