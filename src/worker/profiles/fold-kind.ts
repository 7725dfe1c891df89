/**
 * One kind of profile, accounts or merchants, in a batch: which blocks to append, how replies change the copies
 * in memory, which profiles to rebuild. fold-profiles.ts makes the calls. A copy in memory equals its log up to
 * an end, whose stamp proves it. So a copy is only changed after Redis has answered, and an append without an
 * answer does no harm: it is returned as appended since.
 */
import { createArena } from '../../profile/arena.ts';
import { type KindBatch, rebuildParties } from '../../profile/fold-batch.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Stamp } from '../../profile/profile-log.ts';
import type { LogAppend, LogReply } from '../../stream/profiles/profile-logs.ts';
import { type BatchParty, batchParties } from './batch-party.ts';
import { install } from './keep.ts';
import { createProfileMemory, forgetParty } from './profile-memory.ts';
import { type FoldKindOptions, resetArena, type Side, type SideBatch } from './side.ts';
import { countReplies, takeReply } from './take-reply.ts';

/** The parts of a batch that all kinds share. */
type FoldedBatch = Omit<KindBatch<Profile, never>, 'kind'> & {
  /** Ends the blocks that the batch appends. */
  readonly stamp: Stamp;
  readonly newStamp: () => Stamp;
};

export type FoldKind = { readonly begin: (batch: FoldedBatch) => FoldOfKind };

/**
 * A batch in progress: `appends`, then `take` until nothing is to be asked again, then `rebuild`. Fills its
 * rows.
 */
export type FoldOfKind = {
  readonly appends: () => readonly LogAppend[];
  /** Takes one reply per append; returns the appends that have to be repeated. */
  readonly take: (replies: readonly LogReply[]) => readonly LogAppend[];
  readonly rebuild: () => Promise<void>;
};

/** A list that outgrows it gets memory of its own. */
const ARENA_BYTES = 256 * 1024;
/** A log's time to live is renewed at most once in this fraction of it, as each renewal costs a command. */
const RENEWALS_PER_LIFE = 8;

export function createFoldKind<P extends Profile, Past>(
  options: FoldKindOptions<P, Past>,
): FoldKind {
  const side: Side<P, Past> = {
    ...options,
    memory: createProfileMemory(options.bytesMax, options.kind.layout.cursorsBytes),
    arena: createArena(new ArrayBuffer(ARENA_BYTES), 0),
  };
  const { kind, memory, placeOf, ttlSeconds } = side;
  return {
    begin({ stamp, ...rest }) {
      const batch = { ...rest, side, kind, rebuilds: { missing: [], too_short: [] } };
      const renewBeforeS = side.nowMs() / 1000 - ttlSeconds / RENEWALS_PER_LIFE;
      return follow(batch, batchParties(batch, stamp, { memory, placeOf, renewBeforeS }));
    },
  };
}

function follow<P extends Profile, Past>(
  batch: SideBatch<P, Past>,
  parties: readonly BatchParty[],
): FoldOfKind {
  const { side, rebuilds } = batch;
  let asked = parties;
  return {
    appends: () => asked,
    take(replies) {
      countReplies(side, replies, asked);
      asked = asked.filter((batchParty, index) => {
        try {
          return !takeReply(batch, batchParty, replies[index] as LogReply);
        } catch (error) {
          // Folded in part, so it no longer equals its log.
          forgetParty(side.memory, batchParty.party);
          throw error;
        }
      });
      return asked;
    },
    async rebuild() {
      await side.installs.waitWhileFull();
      for (const [reason, { length }] of Object.entries(rebuilds)) {
        side.metrics.profileRebuilds.inc({ party: side.kind.party, reason }, length);
      }
      await rebuildParties(
        { ...batch, loadPasts: side.loadPasts },
        [...rebuilds.missing, ...rebuilds.too_short],
        () => resetArena(side),
        (batchParty, profile) => {
          install(batch, batchParty, profile);
          return side.installs.waitWhileFull();
        },
      );
    },
  };
}
