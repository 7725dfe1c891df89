/** The parties of a batch, each with its transactions, the copy in memory and the block for its log. */
import type { Transaction } from '../../domain/transaction.ts';
import type { KindBatch, Waiting } from '../../profile/fold-batch.ts';
import type { Profile } from '../../profile/profile.ts';
import {
  BLOCK_BYTES,
  beginItems,
  endBlock,
  type LogEnd,
  type Stamp,
} from '../../profile/profile-log.ts';
import type { PartyKind } from '../../stream/keys.ts';
import type { LogAppend } from '../../stream/profiles/profile-logs.ts';
import {
  birthOf,
  type Copy,
  type CopyState,
  findCopy,
  NO_COPY,
  type ProfileMemory,
  stateOf,
} from './profile-memory.ts';

/** Where Redis has a party's log; `slot` is given where it is known. */
export type PlaceOfParty = (party: PartyKind, id: string, slot?: number) => Place;
type Place = { readonly key: string; readonly slot: number };

/** One object per party: batches touch as many parties as transactions. */
export type BatchParty = Waiting &
  LogAppend & {
    readonly party: string;
    /** Indices of its transactions. */
    readonly indices: readonly number[];
    /** The copy in memory as it was found, or NO_COPY. */
    readonly copy: Copy;
    readonly birth: number;
    readonly state: CopyState | null;
    known: LogEnd | null;
    block: Uint8Array;
    /** Ends the block. */
    readonly stamp: Stamp;
    /** The log behind the block. */
    end: LogEnd;
    /** False where the block stands in no log. */
    isStored: boolean;
  };

type BatchPartyOptions = {
  readonly memory: ProfileMemory;
  readonly placeOf: PlaceOfParty;
  /** Logs that were renewed before this are renewed; seconds. */
  readonly renewBeforeS: number;
};

const NOT_YET: LogEnd = { length: 0, high: 0, low: 0 };
const NO_BYTES = new Uint8Array(0);
const NOTHING: readonly number[] = [];

/** One per party, in the order in which they first occur. */
export function batchParties<P extends Profile, Past>(
  { kind, transactions, arrivals }: KindBatch<P, Past>,
  stamp: Stamp,
  options: BatchPartyOptions,
): BatchParty[] {
  const groups = new Map<string, number[]>();
  for (let index = 0; index < transactions.length; index++) {
    const party = kind.partyOf(transactions[index] as Transaction);
    const group = groups.get(party);
    if (group === undefined) groups.set(party, [index]);
    else group.push(index);
  }
  const bytes = transactions.length * kind.itemBytes + groups.size * BLOCK_BYTES;
  const arena = new DataView(new ArrayBuffer(bytes));
  const parties: BatchParty[] = [];
  let at = 0;
  for (const [party, indices] of groups) {
    const batchParty = beginParty(options, kind.party, party, indices, stamp);
    const begin = at;
    at = beginItems(arena, at, kind.layout.format, indices.length * kind.itemBytes);
    for (const index of indices) {
      kind.writeItem(arena, at, arrivals, index);
      at += kind.itemBytes;
    }
    at = endBlock(arena, at, stamp);
    batchParty.block = new Uint8Array(arena.buffer, begin, at - begin);
    parties.push(batchParty);
  }
  return parties;
}

function beginParty(
  { memory, placeOf, renewBeforeS }: BatchPartyOptions,
  kind: PartyKind,
  party: string,
  indices: readonly number[],
  stamp: Stamp,
): BatchParty {
  const copy = findCopy(memory, party);
  const state = copy === NO_COPY ? null : stateOf(memory, copy);
  const { key, slot } = placeOf(kind, party, state?.slot);
  // Field by field: objects that are spread into it would take five times its bytes.
  return {
    party,
    key,
    slot,
    indices,
    copy,
    state,
    birth: copy === NO_COPY ? 0 : birthOf(memory, copy),
    known: state === null ? null : state.end,
    block: NO_BYTES,
    stamp,
    isToRenew: state !== null && state.renewedAtS < renewBeforeS,
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
