/** Folds a party's transactions into the known part of its profile once Redis has answered. */
import { foldParty } from '../../profile/fold-batch.ts';
import { lastStamp, mergeBlocks, readLog } from '../../profile/profile-log.ts';
import type { LogReply } from '../../stream/profiles/profile-logs.ts';
import { appendAgain, waitForRebuild } from './batch-parties.ts';
import { followLog } from './earlier-profiles.ts';
import { type Copy, readProfile } from './profile-memory.ts';
import { type BatchParty, type KindFold, resetArena } from './profiles.ts';
import { areFarBehind, stayBehind } from './stay-behind.ts';
import { type Found, storeFolded } from './store-folded.ts';

/** Folds a party's transactions, or puts it where it waits for its rebuild. False when it has to be asked again. */
export function takeReply(batch: KindFold, batchParty: BatchParty, reply: LogReply): boolean {
  const { kind, rebuilds, stamp } = batch;
  if (reply.lacks === 'later') return false;
  noteEnd(batch, batchParty, reply);
  const isProven = reply.lacks === 'nothing' || reply.lacks === 'since';
  if (reply.lacks === 'whole' && batchParty.left.length > 0) {
    // Left out for a copy that the log does not begin with: the log may take these records in.
    appendAgain(batch, batchParty);
    return false;
  }
  // A whole log is read without the batch's own block, which may stand in it: its transactions are folded in their order.
  const found = isProven
    ? batchParty.copy && readCopy(batch, batchParty.copy, reply)
    : readLog(kind, reply.bytes, resetArena(batch), stamp);
  if (found === undefined) {
    // Another worker may be about to replace the log by one without these records, which then refuses the rebuilt profile.
    if (batchParty.left.length > 0) {
      appendAgain(batch, batchParty);
      return false;
    }
    waitForRebuild(batch, batchParty, batchParty.indices, rebuilds.missing);
    return true;
  }
  const waiting = foldParty(batch, found.profile, batchParty.indices);
  const isStored = waiting.length === 0 || areFarBehind(batch, found.profile, waiting);
  if (waiting.length === 0) storeFolded(batch, batchParty, found, isProven);
  else if (isStored) stayBehind(batch, batchParty, { found, isProven, waiting });
  else if (batchParty.left.length > 0) {
    appendAgain(batch, batchParty);
    return false;
  } else waitForRebuild(batch, batchParty, waiting, rebuilds.too_short);
  if (isStored && isProven) followLog(batch, batchParty, reply.bytes);
  return true;
}

/** Where the log ends now, with what the caller lacked of it and the block. */
function noteEnd(
  { stamp }: KindFold,
  batchParty: BatchParty,
  { lacks, bytes, isStored }: LogReply,
): void {
  const { block, known } = batchParty;
  const before = lacks === 'whole' || lacks === 'absent' ? 0 : (known?.length ?? 0);
  const length = before + bytes.length + block.length;
  // Where nothing was appended, the last block may be another worker's.
  const isRead = block.length === 0;
  batchParty.isStored = isRead ? lacks !== 'absent' : isStored;
  const { high, low } = isRead ? (bytes.length > 0 ? lastStamp(bytes) : (known ?? stamp)) : stamp;
  batchParty.end = { length, high, low };
}

function readCopy(batch: KindFold, copy: Copy, { bytes }: LogReply): Found | undefined {
  const { kind, memory, metrics } = batch;
  const profile = readProfile(memory, copy, resetArena(batch));
  if (profile === undefined) return undefined;
  if (bytes.length > 0) {
    const merged = mergeBlocks(kind, profile, bytes);
    if (merged < 0) return undefined;
    metrics.profileRecordsMerged.inc({ party: kind.party }, merged);
  }
  return { profile, snapshotBytes: copy.snapshotBytes };
}

/** Counts what Redis said of one call's blocks: once a call, as a label set looked up a party is a thirtieth of a worker's time. */
export function countReplies(
  { metrics }: KindFold,
  replies: readonly LogReply[],
  parties: readonly BatchParty[],
): void {
  const lacking = { nothing: 0, since: 0, whole: 0, absent: 0, later: 0 };
  for (const [index, { lacks }] of replies.entries()) {
    // A call that only reads is no use of the cache.
    if (lacks === 'later' || parties[index]?.block.length === 0) continue;
    lacking[lacks] += 1;
  }
  const { nothing, since, whole, absent } = lacking;
  metrics.cacheHits.inc({ cache: 'folded_profiles', tier: 'memory' }, nothing + since);
  metrics.cacheMisses.inc({ cache: 'folded_profiles', tier: 'memory' }, whole + absent);
  metrics.cacheHits.inc({ cache: 'folded_profiles', tier: 'redis' }, whole);
  metrics.cacheMisses.inc({ cache: 'folded_profiles', tier: 'redis' }, absent);
}
