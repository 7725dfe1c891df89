/**
 * One kind of profile, accounts or merchants, in a batch: which blocks to append, how replies change the copies
 * in memory, which profiles to rebuild. fold-profiles.ts makes the calls. A copy in memory equals its log up to
 * an end, whose stamp proves it. So a copy is only changed after Redis has answered, and an append without an
 * answer does no harm: it is returned as appended since.
 */
import { createArena } from '../../profile/arena.ts';
import { rebuildParties } from '../../profile/fold-batch.ts';
import type { Profile } from '../../profile/profile.ts';
import type { LogAppend, LogReply } from '../../stream/profiles/profile-logs.ts';
import { batchParties } from './batch-party.ts';
import { install } from './keep.ts';
import { createProfileMemory, forgetParty } from './profile-memory.ts';
import { type FoldedBatch, type FoldKindOptions, resetArena, type SideBatch } from './side.ts';
import { countReplies, takeReply } from './take-reply.ts';

/** Begins a batch. */
export type FoldKind = (batch: FoldedBatch) => FoldOfKind;

/** A batch in progress: `take` until nothing is asked any more, then `rebuild`. Fills its rows. */
export type FoldOfKind = {
  /** Appends that are to be made, or repeated. */
  readonly asked: () => readonly LogAppend[];
  /** Takes one reply per append. */
  readonly take: (replies: readonly LogReply[]) => void;
  readonly rebuild: () => Promise<void>;
};

/** A list that outgrows it gets memory of its own. */
const ARENA_BYTES = 256 * 1024;

export function createFoldKind<P extends Profile, Past>(
  options: FoldKindOptions<P, Past>,
): FoldKind {
  const memory = createProfileMemory(options.bytesMax, options.kind);
  const arena = createArena(new ArrayBuffer(ARENA_BYTES), 0);
  return (folded) => {
    const nowS = Math.floor(options.nowMs() / 1000);
    const batch: SideBatch = {
      ...{ ...options, ...folded, memory, arena, nowS, stamp: folded.newStamp() },
      rebuilds: { missing: [], too_short: [] },
    };
    let asked = batchParties(batch);
    return {
      asked: () => asked,
      take(replies) {
        countReplies(batch, replies, asked);
        asked = asked.filter((batchParty, index) => {
          try {
            return !takeReply(batch, batchParty, replies[index] as LogReply);
          } catch (error) {
            // Folded in part, so it no longer equals its log.
            forgetParty(memory, batchParty.party);
            throw error;
          }
        });
      },
      rebuild: () => rebuild(batch),
    };
  };
}

async function rebuild(batch: SideBatch): Promise<void> {
  const { kind, metrics, installs, rebuilds } = batch;
  await installs.waitWhileFull();
  for (const [reason, { length }] of Object.entries(rebuilds)) {
    metrics.profileRebuilds.inc({ party: kind.party, reason }, length);
  }
  await rebuildParties(
    batch,
    [...rebuilds.missing, ...rebuilds.too_short],
    () => resetArena(batch),
    (batchParty, profile) => {
      install(batch, batchParty, profile);
      return installs.waitWhileFull();
    },
  );
}
