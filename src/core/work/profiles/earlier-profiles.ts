/**
 * Earlier profiles: rebuilds around transactions that lie behind their party's log, in memory alone and for further batches.
 *
 * An earlier profile equals a rebuild while it takes in what its log gets. Its rows were read when the party's copy stood at a known
 * position of the log, and each batch that proves the copy brings the earlier profile to the copy's position. Rows whose records stay
 * out of the log were stored before the log's mark (stay-behind.ts), so an earlier profile has the same mark or a later one.
 */
import { foldParty } from '../../profile/fold-batch.ts';
import type { Profile } from '../../profile/profile.ts';
import { type LogEnd, mergeBlocks } from '../../profile/profile-log.ts';
import {
  endOf,
  findCopy,
  forgetParty,
  type ProfileMemory,
  readProfile,
  storeProfile,
} from './profile-memory.ts';
import { type BatchParty, type KindFold, resetArena } from './profiles.ts';

/** Brings a party's earlier profile to the position of its copy, which this batch has proven and stored. */
export function followLog(
  fold: KindFold,
  { party, known, block }: BatchParty,
  since: Uint8Array,
): void {
  const { kind, earlier, memory } = fold;
  if (!earlier.copies.has(party)) return;
  const profile = readAt(fold, party, known);
  const end = endIn(memory, party);
  const isTaken = (bytes: Uint8Array) =>
    profile !== undefined && mergeBlocks(kind, profile, bytes) >= 0;
  if (profile !== undefined && end !== undefined && isTaken(since) && isTaken(block))
    storeAt(earlier, party, profile, end);
  else forgetParty(earlier, party);
}

/** Folds what waits behind a party's log into its earlier profile. False where some of it waits for another rebuild. */
export function foldEarlier(fold: KindFold, batchParty: BatchParty): boolean {
  const { earlier, memory } = fold;
  const { party } = batchParty;
  const end = endIn(memory, party);
  const profile = end && readAt(fold, party, end);
  // A profile that was folded in part, or lies elsewhere, is not used again.
  if (profile === undefined || end === undefined) return false;
  batchParty.waiting = foldParty(fold, profile, batchParty.waiting);
  if (batchParty.waiting.length === 0) storeAt(earlier, party, profile, end);
  else forgetParty(earlier, party);
  return batchParty.waiting.length === 0;
}

/** Stores what was rebuilt, where the party's copy stands in memory. */
export function storeEarlier(
  { earlier, memory }: KindFold,
  { party, countedTo }: BatchParty,
  profile: Profile,
): void {
  const end = endIn(memory, party);
  if (end !== undefined && countedTo <= profile.countedTo) storeAt(earlier, party, profile, end);
}

/** The earlier profile, if it stands at this position of the log. */
function readAt(fold: KindFold, party: string, end: LogEnd | null): Profile | undefined {
  const { earlier } = fold;
  const copy = findCopy(earlier, party);
  if (copy === undefined || end === null) return undefined;
  const { logLength, logHigh, logLow } = copy;
  const isHere = logLength === end.length && logHigh === end.high && logLow === end.low;
  return isHere ? readProfile(earlier, copy, resetArena(fold)) : undefined;
}

function endIn(memory: ProfileMemory, party: string): LogEnd | undefined {
  const copy = memory.copies.get(party);
  return copy && endOf(copy);
}

function storeAt(earlier: ProfileMemory, party: string, profile: Profile, end: LogEnd): void {
  storeProfile(earlier, party, profile, { slot: 0, end, snapshotBytes: 0, renewedAtS: 0 });
}
