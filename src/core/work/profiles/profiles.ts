/** The profiles of a worker: its copies in memory by kind, and how they meet the logs in Redis and the rows in Postgres. */
import type { Guards } from '../../../kit/breakers/guards.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import { openTurns, type Turn } from '../../../kit/process/turns.ts';
import { DAY_MS } from '../../../kit/words/range.ts';
import type { PartyKind, Transaction } from '../../domain/transaction.ts';
import type { DayParts } from '../../profile/day-features.ts';
import type { KindBatch, LoadPasts, Waiting } from '../../profile/fold-batch.ts';
import { type Arena, createArena } from '../../profile/packed-list.ts';
import type { CrowdedTable, LogEnd, Profile, ProfileKind, Stamp } from '../../profile/profile.ts';
import type {
  NewSnapshot,
  readSnapshots,
  SnapshotMark,
} from '../../store/profiles/profile-snapshots.ts';
import type { MarketInRedis } from '../../stream/memory/memory.ts';
import type { LogAppend, ProfileLogs } from '../../stream/profiles/profile-logs.ts';
import {
  type Copy,
  createInstalls,
  createProfileMemory,
  createStamps,
  type Installs,
  type ProfileMemory,
} from './profile-memory.ts';

type ProfilesOptions = {
  readonly market: MarketInRedis & { readonly guards: Pick<Guards, 'redis'> };
  readonly logs: ProfileLogs;
  readonly metrics: Metrics;
  readonly nowMs: () => number;
  readonly ttlSeconds: number;
  readonly slots: () => DayParts['slots'];
  /** Stored transactions by their ids, with the values of the fields that are declared now. */
  readonly reload: (ids: readonly string[]) => Promise<readonly Transaction[]>;
};

export type ProfileSource<P extends Profile, Past> = {
  readonly kind: ProfileKind<P, Past>;
  readonly loadPasts: LoadPasts<Past>;
  readonly snapshots: Snapshots;
  /** Serves parties whose transactions come out of the order of time; absent for accounts. */
  readonly late?: LateParties;
  readonly bytesMax: number;
  /** Smaller profiles have no copy; 0 by default. */
  readonly copiedBytesMin?: number;
};

export type LateParties = {
  /** A late transaction of a party with fewer rows costs a rebuild, which then serves later transactions. */
  readonly rowsMin: number;
  /** Parties with a late transaction not long ago. */
  readonly parties: Pick<ReadonlySet<string>, 'has'>;
  /** Writes what the parties give these transactions, those of one party after the other, into their rows. Throws a Failure. */
  readonly fold: (
    batch: KindBatch<Profile, unknown>,
    indices: readonly number[],
    isUrgent: boolean,
  ) => Promise<void>;
};

/** Older transactions are never late: a reading of late parties locks all months from their oldest row on. */
const LATE_MS_MAX = 4 * 366 * DAY_MS;

/** @param oldest transaction of its party in a batch */
export const mayBeLate = ({ nowMs }: Profiles, oldest: Transaction | undefined): boolean =>
  oldest !== undefined && oldest.createdAtMs > nowMs() - LATE_MS_MAX;

/** The snapshots of one kind in Postgres. */
export type Snapshots = {
  readonly mark: () => Promise<SnapshotMark>;
  readonly read: (
    points: readonly Transaction[],
    numbers?: readonly string[],
  ) => ReturnType<typeof readSnapshots>;
  readonly store: (snapshots: readonly NewSnapshot[]) => Promise<void>;
  /** A snapshot is stored where it saves the reading of so many rows; fewer cost hardly more than the snapshot's own row. */
  readonly rowsMin: number;
};

type KindMemory = ProfileSource<Profile, unknown> & {
  readonly memory: ProfileMemory;
  /** Parties whose profiles a batch reads from Postgres now, and when that ends; never rejected. */
  readonly rebuilding: Map<string, Promise<unknown>>;
  /** Memory for the list of one party at a time. */
  readonly arena: Arena;
  readonly snapshotWrites: SnapshotWrites;
  readonly snapshotReads: SnapshotReads;
};

export type Profiles = ProfilesOptions & {
  readonly kinds: readonly KindMemory[];
  readonly installs: Installs;
  readonly newStamp: () => Stamp;
  /** Batches meet the logs one at a time; while one waits for Postgres the next ones go on, but for the same parties. */
  readonly inTurn: Turn;
  /** The turn of batches that pass waiting batches. */
  readonly urgently: Turn;
  /** Batches of a lane, one after the other. */
  readonly inLane: Turn;
};

/** A list that outgrows it gets memory of its own. */
const ARENA_BYTES = 256 * 1024;

/** A single object for each party: batches touch as many parties as transactions. */
export type BatchParty = Waiting &
  LogAppend & {
    readonly party: string;
    readonly indices: readonly number[];
    /** The copy in memory as it was found. */
    readonly copy: Copy | undefined;
    known: LogEnd | null;
    block: Uint8Array;
    end: LogEnd;
    /** False where the block stands in no log. */
    isStored: boolean;
  };

export type KindFold = Profiles &
  KindMemory &
  KindBatch<Profile, unknown> & {
    readonly nowS: number;
    /** Ends the blocks that the batch appends. */
    readonly stamp: Stamp;
    /** Parties whose blocks are to be appended, or whose logs are to be read again. */
    asked: readonly BatchParty[];
    /** Parties by the reason for which profiles are to be rebuilt; those `behind` may keep the profile that they have. */
    readonly rebuilds: Record<'missing' | 'too_short' | 'behind', BatchParty[]>;
    /** The table of each transaction's day; null before the first table. */
    readonly tables: readonly (CrowdedTable | null)[];
    /** Parties that count as absent: a log that lacks their transactions is not to be believed on a later day. */
    readonly crowded: Set<string>;
    /** Parties that have no profile, with the transactions that wait for `late`. */
    readonly withoutProfile: { readonly party: string; readonly indices: readonly number[] }[];
  };

/** So many parties without a snapshot, one after the other, and the readings pause. */
const ABSENT_MAX = 512;
/** Parties that are rebuilt from rows before the next reading. More: after a loss of Redis more are rebuilt that have a snapshot. */
const PAUSED_PARTIES = 4096;

type SnapshotReads = ReturnType<typeof createSnapshotReads>;

const CALL_BYTES = 256 * 1024;
/** No more are added then, so that at most one exceeds it: more wait only where Postgres is slower than the folds. */
const WAITING_BYTES_MAX = 2 * 1024 * 1024;

type StoreSnapshots = (snapshots: readonly NewSnapshot[]) => Promise<void>;

type SnapshotWrites = ReturnType<typeof createSnapshotWrites>;

export function openProfiles(
  options: ProfilesOptions,
  sources: readonly ProfileSource<Profile, unknown>[],
): Profiles {
  const kinds = sources.map((source) => ({
    ...source,
    memory: createProfileMemory(source.bytesMax, source.kind, source.copiedBytesMin),
    rebuilding: new Map<string, Promise<unknown>>(),
    arena: createArena(new ArrayBuffer(ARENA_BYTES), 0),
    snapshotReads: createSnapshotReads(),
    snapshotWrites: createSnapshotWrites(
      source.kind.party,
      source.snapshots.store,
      options.metrics,
    ),
  }));
  const installs = createInstalls(options);
  const inLane = openTurns().inTurn;
  return { ...options, kinds, installs, newStamp: createStamps(), ...openTurns(), inLane };
}

/**
 * Decides whether snapshots are read at all. Parties that are new have none, and asking Postgres for them takes a tenth of the time
 * of a batch of 100: after many parties without a snapshot only a sample is asked for.
 */
export function createSnapshotReads() {
  let absent = 0;
  let paused = 0;
  return {
    /** Whether these parties are to be read. */
    isDue(parties: number): boolean {
      if (absent < ABSENT_MAX) return true;
      paused += parties;
      if (paused < PAUSED_PARTIES) return false;
      paused = 0;
      return true;
    },
    /** Notes what a reading of parties found. */
    note(parties: number, found: number): void {
      absent = found === 0 ? absent + parties : 0;
    },
  };
}

/**
 * Stores snapshots in Postgres, a bounded number of bytes at a time. Nobody waits for them: a snapshot that is not stored costs
 * a rebuild from rows.
 */
function createSnapshotWrites(
  kind: PartyKind,
  store: StoreSnapshots,
  { profileSnapshots }: Pick<Metrics, 'profileSnapshots'>,
) {
  /** By party: one statement stores a party once. */
  let waiting = new Map<string, NewSnapshot>();
  let bytes = 0;
  let isStoring = false;

  async function storeAll(): Promise<void> {
    isStoring = true;
    while (waiting.size > 0) {
      const snapshots = [...waiting.values()];
      waiting = new Map();
      bytes = 0;
      const outcome = await store(snapshots).then(
        () => 'stored',
        () => 'failed',
      );
      profileSnapshots.inc({ party: kind, outcome }, snapshots.length);
    }
    isStoring = false;
  }

  return {
    /** @param make encodes the snapshot, which is in vain where too many wait */
    add(make: () => NewSnapshot): void {
      if (bytes >= WAITING_BYTES_MAX) {
        profileSnapshots.inc({ party: kind, outcome: 'dropped' });
        return;
      }
      const made = make();
      bytes += made.snapshot.length;
      waiting.set(made.party, made);
      if (bytes >= CALL_BYTES && !isStoring) void storeAll();
    },
    /** Stores the snapshots that wait; beside a call under way they follow it. */
    flush(): void {
      if (!isStoring && waiting.size > 0) void storeAll();
    },
  };
}
