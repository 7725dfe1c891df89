/** Stores the profiles that a batch has folded into: as copies in memory, and in front of their logs. */
import type { Profile } from '../../profile/profile.ts';
import { encodeSnapshot } from '../../profile/profile-log.ts';
import { forgetParty, isKept, noteFolded, storeProfile } from './profile-memory.ts';
import type { BatchParty, KindFold } from './profiles.ts';

/** A log is made anew once it has grown by its snapshot's size, and by so many bytes. */
const COMPACT_BYTES_MIN = 4096;

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
