/**
 * What every profile is to its caller, account and merchant alike: a packed value that the cache
 * stores, a fold that takes one transaction in exactly once, and the smallest write that brings the
 * stored copy up to date. All pure; the worker loads, rebuilds and compares-and-sets around it.
 *
 * A stored value is `body + header (8 bytes)`. The header is version (u32 LE), digest (u24 LE) and
 * format (u8); it stands last, so that one write from the first new item on both extends the body and renews it. It is the
 * whole identity of a stored value: the cache compares those 8 bytes before it writes, and a copy in
 * memory may be used only after they were found equal in Redis. The digest is a chained hash of
 * everything taken in, so a value that Redis lost and somebody rebuilt does not pass for an older one
 * with the same version.
 *
 * The life of a copy:
 *
 *   decodeStored(bytes) or rebuild(past, stored header or null)
 *     -> fold(profile, arrival), as often as the batch needs
 *     -> pendingWrite(profile)     undefined: nothing to write
 *          if the last 8 bytes are `expected` (null: the key does not exist), `bytes` and `header` are
 *          written from `offset` on; at 0 they are the whole value
 *     -> lost: load the newer bytes, fold again; stored as a header alone for want of room: what is kept of
 *        the copy is written whole the next time (replaceStored)
 *
 * fold finds a transaction that is already in by (created_at, transaction_id), so folding again, after a
 * lost race or a redelivery, changes nothing and sees the same siblings.
 */
import type { Transaction } from '../domain/transaction.ts';
import type { Arrivals } from './arrivals.ts';
import { bytesFrom, type PackedList } from './packed-list.ts';
import { type TakeRoom, takeOwn } from './room.ts';

/** Bytes of a stored value that say which value it is. */
export const PROFILE_HEADER_BYTES = 8;

/** A header, one character a byte: of all that a copy in memory keeps, the lightest to the collector. */
export type ProfileHeader = string;

/** What the cache must do so that Redis holds this profile. */
export type ProfileWrite = {
  /** The header that Redis must still hold; null: the key must not exist. */
  readonly expected: ProfileHeader | null;
  /** The header afterwards, which follows `bytes`. */
  readonly header: ProfileHeader;
  /** Where `bytes` begin in the stored value; 0 replaces the whole of it. */
  readonly offset: number;
  /** May be a view: holds until the profile changes. */
  readonly bytes: Uint8Array;
};

/** State that both kinds share. Written by the functions of `ProfileKind` only. */
export type Profile = {
  /** Header of the copy in Redis that this one is based on; null when Redis holds none. */
  stored: ProfileHeader | null;
  /** Chained over everything taken in, 24 bits. */
  digest: number;
  readonly list: PackedList;
};

/** What stands before a stored value's header: the first `length` bytes of a view that may have room for more. */
export type StoredBody = { readonly view: DataView<ArrayBuffer>; readonly length: number };

/** One kind of profile. `Past` is what Postgres gives for a rebuild (domain/history.ts). */
export type ProfileKind<P extends Profile, Past> = {
  readonly party: 'account' | 'merchant';
  /** The party whose profile a transaction belongs to. */
  partyOf(transaction: Transaction): string;
  /** Last byte of the headers of its values. */
  readonly format: number;
  /**
   * Reads a value of this format, whose bytes then belong to the profile; undefined when it is damaged: rebuild it.
   * `take` is where its list goes when it grows.
   */
  decode(body: StoredBody, header: ProfileHeader, take: TakeRoom): P | undefined;
  /** Builds a profile from Postgres; `stored` is the header that its first write will replace. */
  rebuild(past: Past, stored: ProfileHeader | null, take?: TakeRoom): P;
  /**
   * Takes an arrival in and writes what it sees of this party into its row of features. False where this profile does
   * not hold all of that, as a rebuild reads only so many rows around its point, and a list keeps only its newest
   * items. Then nothing has changed: fold again into a `rebuild` around this transaction, or an older one; around this
   * one it always does.
   * @param rowAt where the row begins in `values`
   */
  fold(
    profile: P,
    arrivals: Arrivals,
    arrival: number,
    values: Float64Array,
    rowAt: number,
  ): boolean;
  pendingWrite(profile: P): ProfileWrite | undefined;
  /** Everything of a stored value before its header. */
  encode(profile: P): Uint8Array;
};

/** The header that Redis keeps of a value for whose contents it has no room. */
export function stubOf(header: ProfileHeader): ProfileHeader {
  return `${header.slice(0, -1)}\0`;
}

/** How a kind stores its profiles. */
export type ProfileLayout<P extends Profile> = {
  /** Last byte of the header. */
  readonly format: number;
  /** Everything that stands before the items. */
  readonly encodePrefix: (profile: P) => Buffer;
  readonly prefixBytes: (profile: P) => number;
};

/** The write that brings the stored copy up to date, if it is not. */
export function pendingWriteOf<P extends Profile>(
  profile: P,
  layout: ProfileLayout<P>,
): ProfileWrite | undefined {
  const { list, stored } = profile;
  const { count, storedCount } = list;
  if (storedCount === count && stored !== null) return undefined;
  const header = nextHeader(stored, profile.digest, layout.format);
  if (stored === null || storedCount < 0) {
    return { expected: stored, header, offset: 0, bytes: encodeOf(profile, layout) };
  }
  const offset = layout.prefixBytes(profile) + storedCount * list.itemBytes;
  return { expected: stored, header, offset, bytes: bytesFrom(list, storedCount) };
}

/** Everything of a stored value before its header. */
export function encodeOf<P extends Profile>(profile: P, layout: ProfileLayout<P>): Uint8Array {
  return Buffer.concat([layout.encodePrefix(profile), bytesFrom(profile.list, 0)]);
}

/** Reads a value as Redis holds it, from a copy of its bytes; undefined when its format is unknown or it is damaged. */
export function decodeStored<P extends Profile>(
  kind: Pick<ProfileKind<P, unknown>, 'decode' | 'format'>,
  stored: Uint8Array,
  take: TakeRoom = takeOwn,
): P | undefined {
  const header = headerOf(stored);
  if (header === null || headerFormat(header) !== kind.format) return undefined;
  const length = stored.length - PROFILE_HEADER_BYTES;
  const view = take(length + ROOM_FOR_ARRIVALS_BYTES);
  new Uint8Array(view.buffer, view.byteOffset, length).set(stored.subarray(0, length));
  return kind.decode({ view, length }, header, take);
}

/** Of one party in one batch, nearly always; a list that gets more of them is moved once. */
const ROOM_FOR_ARRIVALS_BYTES = 128;

/** The part of a view from an offset on. */
export function viewFrom({ buffer, byteOffset, byteLength }: DataView<ArrayBuffer>, from: number) {
  return new DataView(buffer, byteOffset + from, byteLength - from);
}

/** Whether a quotient of lengths is a number of items. */
export function isCount(count: number): boolean {
  return Number.isInteger(count) && count >= 0;
}

/** The header of a stored value, or null for an absent or impossibly short one. */
export function headerOf(stored: Uint8Array | null): ProfileHeader | null {
  if (stored === null || stored.length < PROFILE_HEADER_BYTES) return null;
  return String.fromCharCode(...stored.subarray(stored.length - PROFILE_HEADER_BYTES));
}

export function headerVersion(header: ProfileHeader | null): number {
  if (header === null) return 0;
  const low = header.charCodeAt(0) | (header.charCodeAt(1) << 8);
  return (low | (header.charCodeAt(2) << 16) | (header.charCodeAt(3) << 24)) >>> 0;
}

export function headerDigest(header: ProfileHeader): number {
  return header.charCodeAt(4) | (header.charCodeAt(5) << 8) | (header.charCodeAt(6) << 16);
}

function headerFormat(header: ProfileHeader): number {
  return header.charCodeAt(7);
}

/** The header of the next version; versions wrap at 2^32 and never are 0. */
function nextHeader(stored: ProfileHeader | null, digest: number, format: number): ProfileHeader {
  const version = (headerVersion(stored) + 1) >>> 0 || 1;
  return (
    String.fromCharCode(version & 0xff, (version >>> 8) & 0xff) +
    String.fromCharCode((version >>> 16) & 0xff, version >>> 24) +
    String.fromCharCode(digest & 0xff, (digest >>> 8) & 0xff, (digest >>> 16) & 0xff, format)
  );
}

/** Chains one taken-in value into a digest (24 bits). */
export function chainDigest(digest: number, value: number): number {
  let mixed = Math.imul(digest ^ value, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) & 0xffffff;
}
