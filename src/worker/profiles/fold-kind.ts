/**
 * One kind of profile, accounts or merchants, on its way through a batch: which blocks to append, what the replies make
 * of the copies in memory, what to rebuild. The calls are made by fold-profiles.ts.
 *
 * A copy in memory is what its log holds up to an end, whose stamp proves it. So a copy is only touched once Redis has
 * answered, and what was appended without an answer does no harm: it comes back as what was appended since.
 */
import { type KindBatch, rebuildParties } from '../../profile/fold-batch.ts';
import type { Profile } from '../../profile/profile.ts';
import type { Stamp } from '../../profile/profile-log.ts';
import { createRoom } from '../../profile/room.ts';
import type { LogAppend, LogReply } from '../../stream/profile-logs.ts';
import { install } from './keep.ts';
import { createProfileMemory, forgetParty } from './profile-memory.ts';
import { type FoldKindOptions, type Side, type SideBatch, takeRoom } from './side.ts';
import { countReplies, takeReply } from './take-reply.ts';
import { type Visit, visitParties } from './visit.ts';

/** What all kinds have in common of a batch. */
export type FoldedBatch = Omit<KindBatch<Profile, never>, 'kind'> & {
  /** Ends the blocks that the batch appends. */
  readonly stamp: Stamp;
  readonly newStamp: () => Stamp;
};

export type FoldKind = { readonly begin: (batch: FoldedBatch) => FoldOfKind };

/** A batch on its way: `appends`, then `take` until nothing is to be asked again, then `rebuild`. Fills its rows. */
export type FoldOfKind = {
  readonly appends: () => readonly LogAppend[];
  /** Takes one reply an append; returns what has to be asked again. */
  readonly take: (replies: readonly LogReply[]) => readonly LogAppend[];
  readonly rebuild: () => Promise<void>;
};

/** A list that outgrows it gets memory of its own. */
const ROOM_BYTES = 256 * 1024;
/** A log is renewed once in so many parts of its time to live, at most: each time costs a command. */
const RENEWALS_PER_LIFE = 8;

export function createFoldKind<P extends Profile, Past>(
  options: FoldKindOptions<P, Past>,
): FoldKind {
  const side: Side<P, Past> = {
    ...options,
    memory: createProfileMemory(options.bytesMax, options.kind.layout.cursorsBytes),
    room: createRoom(new ArrayBuffer(ROOM_BYTES), 0),
  };
  const { kind, memory, placeOf, ttlSeconds } = side;
  return {
    begin({ stamp, ...rest }) {
      const batch = { ...rest, side, kind, rebuilds: { missing: [], too_short: [] } };
      const renewBeforeS = side.nowMs() / 1000 - ttlSeconds / RENEWALS_PER_LIFE;
      return follow(batch, visitParties(batch, stamp, { memory, placeOf, renewBeforeS }));
    },
  };
}

function follow<P extends Profile, Past>(
  batch: SideBatch<P, Past>,
  visits: readonly Visit[],
): FoldOfKind {
  const { side, rebuilds } = batch;
  let asked = visits;
  return {
    appends: () => asked,
    take(replies) {
      countReplies(side, replies, asked);
      asked = asked.filter((visit, index) => {
        try {
          return !takeReply(batch, visit, replies[index] as LogReply);
        } catch (error) {
          // Folded in part, so it is no copy of its log any more.
          forgetParty(side.memory, visit.party);
          throw error;
        }
      });
      return asked;
    },
    async rebuild() {
      await side.installs.room();
      for (const [reason, { length }] of Object.entries(rebuilds)) {
        side.metrics.profileRebuilds.inc({ party: side.kind.party, reason }, length);
      }
      await rebuildParties(
        { ...batch, loadPasts: side.loadPasts },
        [...rebuilds.missing, ...rebuilds.too_short],
        () => takeRoom(side),
        (visit, profile) => {
          install(batch, visit, profile);
          return side.installs.room();
        },
      );
    },
  };
}
