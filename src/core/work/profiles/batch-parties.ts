/** The parties of a batch, and the records that it appends to their logs. */
import type { Transaction } from '../../domain/transaction.ts';
import { keyOfArrival } from '../../profile/arrivals.ts';
import { compareKeys } from '../../profile/packed-list.ts';
import { BLOCK_BYTES, beginRecords, endBlock, type LogEnd } from '../../profile/profile-log.ts';
import { profileKey, profileSlot } from '../../stream/keys.ts';
import { type Copy, endOf, findCopy, floorOf, forgetParty } from './profile-memory.ts';
import type { BatchParty, KindFold } from './profiles.ts';

/** A log's time to live is renewed at most once in this fraction of it, as each renewal costs a command. */
const RENEWALS_PER_LIFE = 8;
const NOT_YET: LogEnd = { length: 0, high: 0, low: 0 };
const NO_BYTES = new Uint8Array(0);
const NOTHING: readonly number[] = [];

type NewFold = Omit<KindFold, 'asked'>;

/** The parties of a batch, in the order in which they first occur. */
export function batchParties(batch: NewFold): BatchParty[] {
  const { kind, transactions } = batch;
  const groups = new Map<string, number[]>();
  for (let index = 0; index < transactions.length; index++) {
    const party = kind.partyOf(transactions[index] as Transaction);
    const group = groups.get(party);
    if (group === undefined) groups.set(party, [index]);
    else group.push(index);
  }
  const bytes = transactions.length * kind.recordBytes + groups.size * BLOCK_BYTES;
  const arena = new DataView(new ArrayBuffer(bytes));
  const parties: BatchParty[] = [];
  let at = 0;
  for (const [party, indices] of groups) {
    const batchParty = beginParty(batch, party, indices);
    const { left } = batchParty;
    const here = left.length === 0 ? indices : indices.filter((index) => !left.includes(index));
    batchParty.block = writeBlock(batch, arena, at, here);
    at += batchParty.block.length;
    parties.push(batchParty);
  }
  return parties;
}

/** Writes the records of transactions; no bytes for none. */
function writeBlock(
  { kind, arrivals, stamp }: NewFold,
  arena: DataView<ArrayBuffer>,
  begin: number,
  indices: readonly number[],
): Uint8Array {
  if (indices.length === 0) return NO_BYTES;
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
  const left = copy === undefined ? NOTHING : behindCopy(batch, copy, indices);
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
    left,
    countedTo: 0,
    // A call that only reads renews nothing.
    isToRenew: isStale && left.length < indices.length,
    end: NOT_YET,
    isStored: false,
    waiting: NOTHING,
  };
}

/** The transactions that no list of the copy, or of a log that begins with it, takes in. */
function behindCopy(
  { kind, arrivals }: NewFold,
  copy: Copy,
  indices: readonly number[],
): readonly number[] {
  if (!kind.hasTallies) return NOTHING;
  const floor = floorOf(copy);
  const isBehind = (index: number) => compareKeys(keyOfArrival(arrivals, index), floor) <= 0;
  return indices.some(isBehind) ? indices.filter(isBehind) : NOTHING;
}

/** Asks for the whole log, and appends all records; those that stand there already count once. */
export function appendAgain(batch: NewFold, batchParty: BatchParty): void {
  const { indices } = batchParty;
  const bytes = indices.length * batch.kind.recordBytes + BLOCK_BYTES;
  forgetParty(batch.memory, batchParty.party);
  batchParty.known = null;
  batchParty.left = NOTHING;
  batchParty.block = writeBlock(batch, new DataView(new ArrayBuffer(bytes)), 0, indices);
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
