/**
 * The parties of a batch, the records that it appends to their logs, and how it stores the profiles that it has folded: as copies in
 * memory, and in front of their logs.
 */

import type { Transaction } from '../../domain/transaction.ts';
import { comparePositions } from '../../domain/transaction.ts';
import {
  BLOCK_BYTES,
  beginRecords,
  encodeSnapshot,
  endBlock,
  type LogEnd,
  type Profile,
  partyIn,
} from '../../profile/profile.ts';
import { profileKey, profileSlot } from '../../stream/keys.ts';
import type { LogReply } from '../../stream/profiles/profile-logs.ts';
import {
  endOf,
  findCopy,
  forgetParty,
  isKept,
  noteFolded,
  storeProfile,
} from './profile-memory.ts';
import { type BatchParty, type KindFold, mayBeLate } from './profiles.ts';

/** A log's time to live is renewed at most once in this fraction of it, as each renewal costs a command. */
const RENEWALS_PER_LIFE = 8;
const NOT_YET: LogEnd = { length: 0, high: 0, low: 0 };
const NO_BYTES = new Uint8Array(0);
const NOTHING: readonly number[] = [];

type NewFold = Omit<KindFold, 'asked'>;

/** The parties of a batch, in the order in which they first occur. */
export function batchParties(batch: NewFold): BatchParty[] {
  const { kind, transactions, tables, crowded, memory } = batch;
  const groups = new Map<string, number[]>();
  for (let index = 0; index < transactions.length; index++) {
    const transaction = transactions[index] as Transaction;
    const { party, isCrowded } = partyIn(kind, transaction, tables[index]);
    if (party === null) continue;
    if (isCrowded) {
      crowded.add(party);
      forgetParty(memory, party);
      continue;
    }
    const group = groups.get(party);
    if (group === undefined) groups.set(party, [index]);
    else group.push(index);
  }
  const bytes = transactions.length * kind.recordBytes + groups.size * BLOCK_BYTES;
  const arena = new DataView(new ArrayBuffer(bytes));
  const parties: BatchParty[] = [];
  let at = 0;
  for (const [party, indices] of groups) {
    sortByTime(transactions, indices);
    if (batch.late?.parties.has(party) && mayBeLate(batch, transactions[indices[0] ?? -1])) {
      leaveWithoutProfile(batch, party, indices);
      continue;
    }
    const batchParty = beginParty(batch, party, indices);
    batchParty.block = writeBlock(batch, arena, at, indices);
    at += batchParty.block.length;
    parties.push(batchParty);
  }
  return parties;
}

/** A transaction sees the earlier siblings of its own batch, in whatever order the batch came. */
function sortByTime(transactions: readonly Transaction[], indices: number[]): void {
  const compare = (a: number, b: number) =>
    comparePositions(transactions[a] as Transaction, transactions[b] as Transaction);
  for (let at = 1; at < indices.length; at++) {
    if (compare(indices[at - 1] as number, indices[at] as number) > 0) {
      indices.sort(compare);
      return;
    }
  }
}

/** Writes the records of transactions. */
function writeBlock(
  { kind, arrivals, stamp }: NewFold,
  arena: DataView<ArrayBuffer>,
  begin: number,
  indices: readonly number[],
): Uint8Array {
  const { layout, recordBytes } = kind;
  let at = beginRecords(arena, begin, layout.format, indices.length * recordBytes);
  for (const index of indices) {
    kind.writeRecord(arena, at, arrivals, index);
    at += recordBytes;
  }
  at = endBlock(arena, at, stamp);
  return new Uint8Array(arena.buffer, begin, at - begin);
}

function beginParty(batch: NewFold, party: string, indices: readonly number[]): BatchParty {
  const { kind, market, memory, nowS, ttlSeconds } = batch;
  const copy = findCopy(memory, party);
  const slot = copy?.slot ?? profileSlot(party);
  const isStale = copy !== undefined && copy.renewedAtS < nowS - ttlSeconds / RENEWALS_PER_LIFE;
  // Field by field: objects that are spread into it would take five times its bytes.
  return {
    party,
    key: profileKey(market.name, kind.party, party, slot),
    slot,
    indices,
    copy,
    known: copy === undefined ? null : endOf(copy),
    block: NO_BYTES,
    isToRenew: isStale,
    end: NOT_YET,
    isStored: false,
    waiting: NOTHING,
  };
}

/** Notes what waits for the sums of the party's rows. A copy that was folded in part equals no log. */
export function leaveWithoutProfile(
  { memory, withoutProfile }: NewFold,
  party: string,
  indices: readonly number[],
): true {
  forgetParty(memory, party);
  withoutProfile.push({ party, indices });
  return true;
}

/** A copy that was folded in part equals no log. */
export function waitForRebuild(
  { memory }: NewFold,
  batchParty: BatchParty,
  waiting: readonly number[],
  rebuilds: BatchParty[],
): void {
  batchParty.waiting = waiting;
  forgetParty(memory, batchParty.party);
  rebuilds.push(batchParty);
}

/** A log is made anew once it has grown by its snapshot's size, and by so many bytes. */
const COMPACT_BYTES_MIN = 1024;

/** A profile, and how long the snapshot is that its log begins with. */
export type Found = { readonly profile: Profile; readonly snapshotBytes: number };

/** Stores what was folded where it stands if it still fits there, and writes a log anew that has grown too long. */
export function storeFolded(
  batch: KindFold,
  batchParty: BatchParty,
  { profile, snapshotBytes }: Found,
  isProven: boolean,
): void {
  const { memory } = batch;
  const { party, slot, end } = batchParty;
  if (!batchParty.isStored) {
    forgetParty(memory, party);
    return;
  }
  if (end.length - snapshotBytes > Math.max(snapshotBytes, COMPACT_BYTES_MIN)) {
    storeSnapshot(batch, batchParty, profile);
    return;
  }
  const isRenewed = isProven && batchParty.isToRenew;
  const renewedAtS = isRenewed ? batch.nowS : (batchParty.copy?.renewedAtS ?? 0);
  const state = { slot, end, snapshotBytes, renewedAtS };
  const { copy } = batchParty;
  const { records, isCut } = profile.list;
  const isInCopy = copy !== undefined && !isCut && records.buffer === copy.view.buffer;
  if (isInCopy && isKept(memory, copy)) noteFolded(memory, copy, profile, state);
  else storeProfile(memory, party, profile, state);
}

/**
 * Stores a profile whose log is new, where Redis has room for it. Elsewhere the next transaction of the party makes the profile
 * again, and the placeholder of its log expires.
 */
export function storeMade(fold: KindFold, batchParty: BatchParty, profile: Profile): void {
  if (fold.market.memory.profileBytes > 0) storeSnapshot(fold, batchParty, profile);
}

/** Puts the profile in front of its log, and stores a copy as if it stood there: the next append finds out. */
export function storeSnapshot(
  { kind, memory, installs, newStamp, nowS }: KindFold,
  { party, key, slot, end, isStored }: BatchParty,
  profile: Profile,
): void {
  if (!isStored) return;
  const stamp = newStamp();
  const snapshot = encodeSnapshot(kind, profile, stamp, installs.take);
  const snapshotBytes = snapshot.length;
  const installed = { length: snapshotBytes, ...stamp };
  storeProfile(memory, party, profile, { slot, end: installed, snapshotBytes, renewedAtS: nowS });
  installs.add({ key, slot, known: end, snapshot });
}

/** Counts the replies of Redis once a call: to look up the label set for each party would take a thirtieth of a worker's time. */
export function countReplies(
  { metrics }: KindFold,
  replies: readonly LogReply[],
  parties: readonly BatchParty[],
): void {
  const lacking = { nothing: 0, since: 0, whole: 0, absent: 0, later: 0 };
  for (const [index, { lacks }] of replies.entries()) {
    // A call that only reads does not count as a use of the cache.
    if (lacks === 'later' || parties[index]?.block.length === 0) continue;
    lacking[lacks] += 1;
  }
  const { nothing, since, whole, absent } = lacking;
  metrics.cacheHits.inc({ cache: 'folded_profiles', tier: 'memory' }, nothing + since);
  metrics.cacheMisses.inc({ cache: 'folded_profiles', tier: 'memory' }, whole + absent);
  metrics.cacheHits.inc({ cache: 'folded_profiles', tier: 'redis' }, whole);
  metrics.cacheMisses.inc({ cache: 'folded_profiles', tier: 'redis' }, absent);
}
