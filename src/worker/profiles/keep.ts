/** Keeps a folded profile: a copy in memory, and where it is due a snapshot in its log. */
import type { Profile } from '../../profile/profile.ts';
import { encodeSnapshot } from '../../profile/profile-log.ts';
import type { BatchParty } from './batch-party.ts';
import { forgetParty, keepProfile, noteFolded } from './profile-memory.ts';
import { type Found, nowS, type SideBatch } from './side.ts';

/** A log is made anew once it has grown by its snapshot's size, and by this. */
const COMPACT_BYTES_MIN = 4096;

/** Keeps what was folded, in its place where it still fits, and makes a log anew that has grown too long. */
export function keep<P extends Profile, Past>(
  batch: SideBatch<P, Past>,
  batchParty: BatchParty,
  { profile, snapshotBytes }: Found<P>,
  isProven: boolean,
): void {
  const { side } = batch;
  const { kind, memory } = side;
  const { party, slot, end } = batchParty;
  if (!batchParty.isStored) {
    forgetParty(memory, party);
    return;
  }
  if (end.length - snapshotBytes > Math.max(snapshotBytes, COMPACT_BYTES_MIN)) {
    install(batch, batchParty, profile);
    return;
  }
  const isRenewed = isProven && batchParty.isToRenew;
  const renewedAtS = isRenewed ? nowS(side) : (batchParty.state?.renewedAtS ?? 0);
  const state = { slot, end, snapshotBytes, renewedAtS };
  const isInPlace = profile.list.items.buffer === memory.slab.buffer && !profile.list.isCut;
  if (isInPlace) noteFolded(memory, batchParty.copy, kind.layout, profile, state);
  else keepProfile(memory, party, kind.layout, profile, state);
}

/** Puts the profile in front of its log, and keeps it as if it stood there: the next append finds out. */
export function install<P extends Profile, Past>(
  { side, newStamp }: SideBatch<P, Past>,
  batchParty: BatchParty,
  profile: P,
): void {
  const { kind, memory, installs } = side;
  const { party, key, slot, end } = batchParty;
  if (!batchParty.isStored) return;
  const stamp = newStamp();
  const snapshot = encodeSnapshot(kind, profile, stamp, installs.take);
  const snapshotBytes = snapshot.length;
  const state = { slot, end: { length: snapshotBytes, ...stamp }, snapshotBytes };
  keepProfile(memory, party, kind.layout, profile, { ...state, renewedAtS: nowS(side) });
  installs.add({ key, slot, known: end, snapshot });
}
