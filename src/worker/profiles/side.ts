/** State that the folds of one kind of profile share. */
import type { Arena, TakeBytes } from '../../profile/arena.ts';
import type { KindBatch, LoadPasts } from '../../profile/fold-batch.ts';
import type { Profile, ProfileKind } from '../../profile/profile.ts';
import type { Stamp } from '../../profile/profile-log.ts';
import type { Metrics } from '../../runtime/metrics.ts';
import type { BatchParty, PlaceOfParty } from './batch-party.ts';
import type { Installs } from './installs.ts';
import type { ProfileMemory } from './profile-memory.ts';

export type FoldKindOptions<P extends Profile, Past> = {
  readonly kind: ProfileKind<P, Past>;
  readonly loadPasts: LoadPasts<Past>;
  readonly placeOf: PlaceOfParty;
  readonly installs: Installs;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  /** Time to live of a log in Redis. */
  readonly ttlSeconds: number;
  /** Bounds the copies in memory. */
  readonly bytesMax: number;
};

export type Side<P extends Profile, Past> = FoldKindOptions<P, Past> & {
  readonly memory: ProfileMemory;
  /** Memory for the list of one party at a time. */
  readonly arena: Arena;
};

/** The part of a batch that concerns one kind of profile. */
export type SideBatch<P extends Profile, Past> = KindBatch<P, Past> & {
  readonly side: Side<P, Past>;
  readonly newStamp: () => Stamp;
  /** Parties by the reason for which their profiles are to be rebuilt. */
  readonly rebuilds: Record<'missing' | 'too_short', BatchParty[]>;
};

/** A profile, and how long the snapshot is that its log begins with. */
export type Found<P> = { readonly profile: P; readonly snapshotBytes: number };

/** Memory for the next party's list; that of the party before is free. */
export function resetArena({ arena }: { readonly arena: Arena }): TakeBytes {
  arena.reset();
  return arena.take;
}

export function nowS({ nowMs }: { readonly nowMs: () => number }): number {
  return Math.floor(nowMs() / 1000);
}
