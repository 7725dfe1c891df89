/** Folds a party's transactions into the known part of its profile once Redis has answered. */
import { foldParty } from '../../profile/fold-batch.ts';
import type { Profile } from '../../profile/profile.ts';
import { lastStamp, mergeBlocks, readLog } from '../../profile/profile-log.ts';
import type { LogReply } from '../../stream/profiles/profile-logs.ts';
import { type BatchParty, readAgain } from './batch-party.ts';
import { keep } from './keep.ts';
import { birthOf, forgetParty, readProfile } from './profile-memory.ts';
import { type Found, resetArena, type Side, type SideBatch } from './side.ts';

/** Folds a party's transactions, or puts it where it waits for its rebuild. False when it has to be asked again. */
export function takeReply<P extends Profile, Past>(
  batch: SideBatch<P, Past>,
  batchParty: BatchParty,
  reply: LogReply,
): boolean {
  const { side, rebuilds } = batch;
  const { memory } = side;
  if (reply.lacks === 'later') return false;
  noteEnd(batchParty, reply);
  const isProven = reply.lacks === 'nothing' || reply.lacks === 'since';
  if (isProven && birthOf(memory, batchParty.copy) !== batchParty.birth) {
    readAgain(batchParty);
    return false;
  }
  const found = isProven ? readCopy(side, batchParty, reply) : readWhole(side, batchParty, reply);
  if (found === undefined) {
    waitForRebuild(batch, batchParty, batchParty.indices, rebuilds.missing);
    return true;
  }
  const waiting = foldParty(batch, found.profile, batchParty.indices);
  if (waiting.length > 0) waitForRebuild(batch, batchParty, waiting, rebuilds.too_short);
  else keep(batch, batchParty, found, isProven);
  return true;
}

/** Where the log ends now, with what the caller lacked of it and the block. */
function noteEnd(batchParty: BatchParty, { lacks, bytes, isStored }: LogReply): void {
  const { block, known } = batchParty;
  batchParty.isStored = isStored;
  if (block.length === 0) {
    // Read only: whatever stands last was appended by anybody.
    batchParty.isStored = bytes.length > 0;
    if (batchParty.isStored) batchParty.end = { length: bytes.length, ...lastStamp(bytes) };
    return;
  }
  const before = lacks === 'whole' ? 0 : (known?.length ?? 0);
  const length = (lacks === 'absent' ? 0 : before + bytes.length) + block.length;
  const { high, low } = batchParty.stamp;
  batchParty.end = { length, high, low };
}

/** The proven copy, with what others appended. */
function readCopy<P extends Profile, Past>(
  side: Side<P, Past>,
  { party, copy, state }: BatchParty,
  { bytes }: LogReply,
): Found<P> | undefined {
  const { kind, memory, metrics } = side;
  const profile = readProfile(memory, copy, kind, resetArena(side));
  if (profile === undefined || bytes.length === 0) {
    return profile && { profile, snapshotBytes: state?.snapshotBytes ?? 0 };
  }
  const merged = mergeBlocks(kind, profile, bytes);
  if (merged < 0) {
    forgetParty(memory, party);
    return undefined;
  }
  metrics.profileItemsMerged.inc({ party: kind.party }, merged);
  return { profile, snapshotBytes: state?.snapshotBytes ?? 0 };
}

/** The whole log, without the batch's own block where that was read again: its transactions are folded in their order. */
function readWhole<P extends Profile, Past>(
  side: Side<P, Past>,
  { stamp }: BatchParty,
  { bytes }: LogReply,
): Found<P> | undefined {
  return readLog(side.kind, bytes, resetArena(side), stamp);
}

/** A copy that was folded in part equals no log. */
function waitForRebuild<P extends Profile, Past>(
  { side }: SideBatch<P, Past>,
  batchParty: BatchParty,
  waiting: readonly number[],
  rebuilds: BatchParty[],
): void {
  batchParty.waiting = waiting;
  forgetParty(side.memory, batchParty.party);
  rebuilds.push(batchParty);
}

/** Counts what Redis said of one call's blocks: once a call, as a label set looked up a party is a thirtieth of a worker's time. */
export function countReplies<P extends Profile, Past>(
  { metrics }: Side<P, Past>,
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
