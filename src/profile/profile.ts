/**
 * What every profile is to its caller, account and merchant alike: a packed value that the cache
 * stores, a fold that takes one transaction in exactly once, and the smallest write that brings the
 * stored copy up to date. All pure; the worker loads, rebuilds and compares-and-sets around it.
 *
 * A stored value is `header (8 bytes) + body`. The header is version (u32 LE), digest (u24 LE) and
 * format (u8). It is the whole identity of a stored value: the cache compares those 8 bytes before it
 * writes, and a copy in memory may be used only after they were found equal in Redis. The digest is a
 * chained hash of everything taken in, so a value that Redis lost and somebody rebuilt does not pass
 * for an older one with the same version.
 *
 * The life of a copy:
 *
 *   decode(bytes) or rebuild(past, stored header or null)
 *     -> fold(profile, transaction), as often as the batch needs
 *     -> pendingWrite(profile)     undefined: nothing to write
 *          'append'  : if the first 8 bytes are `expected`, SETRANGE 0 header and APPEND bytes
 *          'replace' : if they are `expected` (null: the key does not exist), SET value
 *        all folds since the last write are in it
 *     -> won: markWritten(profile, write); lost: drop the copy, load the newer bytes, fold again
 *
 * fold finds a transaction that is already in by (created_at, transaction_id), so folding again, after a
 * lost race or a redelivery, changes nothing and sees the same siblings.
 */
import type { Transaction } from '../domain/transaction.ts';
import type { PackedList } from './packed-list.ts';

/** Bytes of a stored value that say which value it is. */
export const PROFILE_HEADER_BYTES = 8;

/** What the cache must do so that Redis holds this profile. Buffers are copies; they never change. */
export type ProfileWrite = {
  /** The first 8 bytes that Redis must still hold; null: the key must not exist. */
  readonly expected: Buffer | null;
  /** The first 8 bytes afterwards. */
  readonly header: Buffer;
  /** Items that the value will hold, and the list's `moves` when it was made: for `markWritten`. */
  readonly count: number;
  readonly moves: number;
} & (
  | { readonly kind: 'append'; readonly expected: Buffer; readonly bytes: Buffer }
  /** `value` includes the header. */
  | { readonly kind: 'replace'; readonly value: Buffer }
);

/**
 * - `folded`: the transaction is in, and `history` is what it sees.
 * - `ahead`: this profile does not reach as far as the transaction (a rebuild read only so many rows
 *   behind its point). Nothing changed. Replace it by `rebuild` around this transaction and fold again.
 * - `late`: this profile no longer holds what the transaction sees. Fold it into a `rebuild` around the
 *   transaction that is used once and thrown away; keep this one, which has taken note as it had to.
 *
 * A profile rebuilt around a transaction always answers `folded` for it.
 */
export type FoldOutcome<History> =
  | { readonly kind: 'folded'; readonly history: History }
  | { readonly kind: 'ahead' }
  | { readonly kind: 'late' };

export const AHEAD = { kind: 'ahead' } as const;
export const LATE = { kind: 'late' } as const;

/** State that both kinds share. Written by the functions of `ProfileKind` only. */
export type Profile = {
  /** Header of the copy in Redis that this one is based on; null when Redis holds none. */
  stored: Buffer | null;
  readonly list: PackedList;
};

/** One kind of profile. `Past` is what Postgres gives for a rebuild (domain/history.ts). */
export type ProfileKind<P extends Profile, History, Past> = {
  readonly party: 'account' | 'merchant';
  /** The party whose profile a transaction belongs to. */
  partyOf(transaction: Transaction): string;
  /** Reads a stored value; undefined when its format is unknown or it is damaged: rebuild it. */
  decode(stored: Buffer): P | undefined;
  /** Builds a profile from Postgres; `stored` is the header that its first write will replace. */
  rebuild(past: Past, stored: Buffer | null): P;
  fold(profile: P, transaction: Transaction): FoldOutcome<History>;
  pendingWrite(profile: P): ProfileWrite | undefined;
};

/** Takes note that a write won. Folds that happened meanwhile stay pending. */
export function markWritten(profile: Profile, write: ProfileWrite): void {
  profile.stored = write.header;
  profile.list.storedCount = profile.list.moves === write.moves ? write.count : -1;
}

/** Memory a profile takes, for the bound of a cache. */
export function profileBytes(profile: Profile): number {
  return PROFILE_OVERHEAD_BYTES + profile.list.doubles.byteLength;
}

/** Measured: 922 bytes of heap a profile, over 20,000 of them, besides its list's buffer. */
const PROFILE_OVERHEAD_BYTES = 1024;

/** The header of a stored value, or null for an absent or impossibly short one. */
export function headerOf(stored: Buffer | null): Buffer | null {
  if (stored === null || stored.length < PROFILE_HEADER_BYTES) return null;
  const header = newHeader();
  header.set(stored.subarray(0, PROFILE_HEADER_BYTES));
  return header;
}

/** Outside of Node's buffer pool: a header lives as long as its profile, and would keep 8 KiB alive. */
function newHeader(): Buffer {
  return Buffer.alloc(PROFILE_HEADER_BYTES);
}

/** True when Redis still holds (by its first 8 bytes; null: nothing) what this copy is based on. */
export function isCurrent(profile: Profile, header: Buffer | null): boolean {
  if (profile.stored === null || header === null) return profile.stored === header;
  return profile.stored.equals(header);
}

export function headerVersion(header: Buffer | null): number {
  return header === null ? 0 : header.readUInt32LE(0);
}

export function headerDigest(header: Buffer): number {
  return header.readUIntLE(4, 3);
}

export function headerFormat(header: Buffer): number {
  return header.readUInt8(7);
}

/** The header of the next version; versions wrap at 2^32 and never are 0. */
export function nextHeader(stored: Buffer | null, digest: number, format: number): Buffer {
  const header = newHeader();
  header.writeUInt32LE((headerVersion(stored) + 1) >>> 0 || 1, 0);
  header.writeUIntLE(digest & 0xffffff, 4, 3);
  header.writeUInt8(format, 7);
  return header;
}

/** Chains one taken-in value into a digest (24 bits). */
export function chainDigest(digest: number, value: number): number {
  let mixed = Math.imul(digest ^ value, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) & 0xffffff;
}
