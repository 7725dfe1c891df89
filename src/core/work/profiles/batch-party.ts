/** The parties of a batch, each with its transactions, the copy in memory and the block for its log. */
import type { Transaction } from '../../domain/transaction.ts';
import { BLOCK_BYTES, beginRecords, endBlock, type LogEnd } from '../../profile/profile-log.ts';
import { profileKey, profileSlot } from '../../stream/keys.ts';
import { findCopy, NO_COPY, stateOf } from './profile-memory.ts';
import type { BatchParty, KindFold } from './profiles.ts';

/** A log's time to live is renewed at most once in this fraction of it, as each renewal costs a command. */
const RENEWALS_PER_LIFE = 8;
const NOT_YET: LogEnd = { length: 0, high: 0, low: 0 };
const NO_BYTES = new Uint8Array(0);
const NOTHING: readonly number[] = [];

type NewFold = Omit<KindFold, 'asked'>;

/** One per party, in the order in which they first occur. */
export function batchParties(batch: NewFold): BatchParty[] {
  const { kind, transactions, arrivals, stamp } = batch;
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
    const begin = at;
    at = beginRecords(arena, at, kind.layout.format, indices.length * kind.recordBytes);
    for (const index of indices) {
      kind.writeRecord(arena, at, arrivals, index);
      at += kind.recordBytes;
    }
    at = endBlock(arena, at, stamp);
    batchParty.block = new Uint8Array(arena.buffer, begin, at - begin);
    parties.push(batchParty);
  }
  return parties;
}

function beginParty(
  { kind, market, memory, nowS, ttlSeconds }: NewFold,
  party: string,
  indices: readonly number[],
): BatchParty {
  const copy = findCopy(memory, party);
  const state = copy === NO_COPY ? null : stateOf(memory, copy);
  const slot = state === null ? profileSlot(party) : state.slot;
  // Field by field: objects that are spread into it would take five times its bytes.
  return {
    party,
    key: profileKey(market.name, kind.party, party, slot),
    slot,
    indices,
    copy,
    state,
    known: state === null ? null : state.end,
    block: NO_BYTES,
    isToRenew: state !== null && state.renewedAtS < nowS - ttlSeconds / RENEWALS_PER_LIFE,
    end: NOT_YET,
    isStored: false,
    waiting: NOTHING,
  };
}

/** The block stands in the log, but the copy in memory has gone: asks for the whole log, and appends nothing more. */
export function readAgain(batchParty: BatchParty): void {
  batchParty.known = null;
  batchParty.block = NO_BYTES;
}
