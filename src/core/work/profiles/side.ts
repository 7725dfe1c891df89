/** State that the steps of one kind's fold share. */
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { Arena, TakeBytes } from '../../profile/arena.ts';
import type { KindBatch, LoadPasts, Waiting } from '../../profile/fold-batch.ts';
import type { Profile, ProfileKind } from '../../profile/profile.ts';
import type { LogEnd, Stamp } from '../../profile/profile-log.ts';
import type { LogAppend } from '../../stream/profiles/profile-logs.ts';
import type { Installs } from './installs.ts';
import type { Copy, CopyState, ProfileMemory } from './profile-memory.ts';

export type FoldKindOptions<P extends Profile, Past> = {
  readonly kind: ProfileKind<P, Past>;
  readonly loadPasts: LoadPasts<Past>;
  readonly market: string;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  /** Time to live of a log in Redis. */
  readonly ttlSeconds: number;
  /** Bounds the copies in memory. */
  readonly bytesMax: number;
};

/** The parts of a batch that all kinds share. */
export type FoldedBatch = Omit<KindBatch<Profile, unknown>, 'kind'> & {
  readonly installs: Installs;
  readonly newStamp: () => Stamp;
};

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
    /** The log behind the block. */
    end: LogEnd;
    /** False where the block stands in no log. */
    isStored: boolean;
  };

/** The part of a batch that concerns one kind of profile. */
export type SideBatch = FoldKindOptions<Profile, unknown> &
  FoldedBatch & {
    /** When the batch began. */
    readonly nowS: number;
    /** Ends the blocks that the batch appends. */
    readonly stamp: Stamp;
    readonly memory: ProfileMemory;
    /** Memory for the list of one party at a time. */
    readonly arena: Arena;
    /** Parties by the reason for which their profiles are to be rebuilt. */
    readonly rebuilds: Record<'missing' | 'too_short', BatchParty[]>;
  };

/** Memory for the next party's list; that of the party before is free. */
export function resetArena({ arena }: SideBatch): TakeBytes {
  arena.reset();
  return arena.take;
}
