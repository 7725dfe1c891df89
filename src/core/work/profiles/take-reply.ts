/** Folds a party's transactions into the known part of its profile once Redis has answered. */
import { foldParty } from '../../profile/fold-batch.ts';
import type { Profile } from '../../profile/profile.ts';
import { encodeSnapshot, lastStamp, mergeBlocks, readLog } from '../../profile/profile-log.ts';
import type { LogReply } from '../../stream/profiles/profile-logs.ts';
import { forgetParty, isOf, noteFolded, readProfile, storeProfile } from './profile-memory.ts';
import { type BatchParty, type KindFold, resetArena } from './profiles.ts';

/** Folds a party's transactions, or puts it where it waits for its rebuild. False when it has to be asked again. */
export function takeReply(batch: KindFold, batchParty: BatchParty, reply: LogReply): boolean {
  const { kind, memory, rebuilds, stamp } = batch;
  if (reply.lacks === 'later') return false;
  noteEnd(batch, batchParty, reply);
  const isProven = reply.lacks === 'nothing' || reply.lacks === 'since';
  if (isProven && !isOf(memory, batchParty.copy, batchParty.party)) {
    readAgain(batchParty);
    return false;
  }
  // A whole log is read without the batch's own block, which may stand in it: its transactions are folded in their order.
  const found = isProven
    ? readCopy(batch, batchParty, reply)
    : readLog(kind, reply.bytes, resetArena(batch), stamp);
  if (found === undefined) {
    waitForRebuild(batch, batchParty, batchParty.indices, rebuilds.missing);
    return true;
  }
  const waiting = foldParty(batch, found.profile, batchParty.indices);
  if (waiting.length > 0) waitForRebuild(batch, batchParty, waiting, rebuilds.too_short);
  else storeFolded(batch, batchParty, found, isProven);
  return true;
}

/** Where the log ends now, with what the caller lacked of it and the block. */
function noteEnd(
  { stamp }: KindFold,
  batchParty: BatchParty,
  { lacks, bytes, isStored }: LogReply,
): void {
  const { block, known } = batchParty;
  batchParty.isStored = isStored;
  if (block.length === 0) {
    // Nothing was appended: the last block may be another worker's.
    batchParty.isStored = bytes.length > 0;
    if (batchParty.isStored) batchParty.end = { length: bytes.length, ...lastStamp(bytes) };
    return;
  }
  const before = lacks === 'whole' ? 0 : (known?.length ?? 0);
  const length = (lacks === 'absent' ? 0 : before + bytes.length) + block.length;
  batchParty.end = { length, high: stamp.high, low: stamp.low };
}

function readCopy(
  batch: KindFold,
  { copy, state }: BatchParty,
  { bytes }: LogReply,
): Found | undefined {
  const { kind, memory, metrics } = batch;
  const profile = readProfile(memory, copy, resetArena(batch));
  if (profile === undefined) return undefined;
  if (bytes.length > 0) {
    const merged = mergeBlocks(kind, profile, bytes);
    if (merged < 0) return undefined;
    metrics.profileRecordsMerged.inc({ party: kind.party }, merged);
  }
  return { profile, snapshotBytes: state?.snapshotBytes ?? 0 };
}

/** A copy that was folded in part equals no log. */
function waitForRebuild(
  { memory }: KindFold,
  batchParty: BatchParty,
  waiting: readonly number[],
  rebuilds: BatchParty[],
): void {
  batchParty.waiting = waiting;
  forgetParty(memory, batchParty.party);
  rebuilds.push(batchParty);
}

/** Counts what Redis said of one call's blocks: once a call, as a label set looked up a party is a thirtieth of a worker's time. */
export function countReplies(
  { metrics }: KindFold,
  replies: readonly LogReply[],
  parties: readonly BatchParty[],
): void {
  const lacking = { nothing: 0, since: 0, whole: 0, absent: 0, later: 0 };
  let dropped = 0;
  for (const [index, { lacks, isStored }] of replies.entries()) {
    // Reading again appends nothing and is no use of the cache.
    if (lacks === 'later' || parties[index]?.block.length === 0) continue;
    lacking[lacks] += 1;
    if (!isStored && lacks !== 'absent') dropped += 1;
  }
  const { nothing, since, whole, absent } = lacking;
  metrics.cacheHits.inc({ cache: 'folded_profiles', tier: 'memory' }, nothing + since);
  metrics.cacheMisses.inc({ cache: 'folded_profiles', tier: 'memory' }, whole + absent);
  metrics.cacheHits.inc({ cache: 'folded_profiles', tier: 'redis' }, whole);
  metrics.cacheMisses.inc({ cache: 'folded_profiles', tier: 'redis' }, absent);
  metrics.profileLogsDropped.inc(dropped);
}

/** A log is made anew once it has grown by its snapshot's size, and by this many bytes. */
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
  const renewedAtS = isRenewed ? batch.nowS : (batchParty.state?.renewedAtS ?? 0);
  const state = { slot, end, snapshotBytes, renewedAtS };
  const isInSlab = profile.list.records.buffer === memory.slab.buffer && !profile.list.isCut;
  if (isInSlab) noteFolded(memory, batchParty.copy, profile, state);
  else storeProfile(memory, party, profile, state);
}

/**
 * Stores a profile whose log is new, where Redis has room for it. Elsewhere the next transaction of the party makes the profile
 * again, and the placeholder of its log expires.
 */
export function storeMade(fold: KindFold, batchParty: BatchParty, profile: Profile): void {
  if (fold.market.memory.profileRoom.hasBytes()) storeSnapshot(fold, batchParty, profile);
}

/** Puts the profile in front of its log, and stores a copy as if it stood there: the next append finds out. */
function storeSnapshot(
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

/** The block stands in the log, but the copy in memory has gone: asks for the whole log, and appends nothing more. */
function readAgain(batchParty: BatchParty): void {
  batchParty.known = null;
  batchParty.block = new Uint8Array(0);
}
