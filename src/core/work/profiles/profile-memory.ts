/**
 * Copies of profiles in this process' memory (L1): packed profiles, each with what is known of its log. Where there is no room a hand
 * passes the copies and drops each that was not found since the hand last passed (the clock algorithm).
 */

import { randomFillSync } from 'node:crypto';
import type { Guards } from '../../../kit/breakers/guards.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { TakeBytes } from '../../profile/packed-list.ts';
import {
  type LogEnd,
  type Profile,
  type ProfileKind,
  profileBytes,
  type Stamp,
  writeProfile,
} from '../../profile/profile.ts';
import type { MarketInRedis } from '../../stream/memory/memory.ts';
import type { LogInstall, ProfileLogs } from '../../stream/profiles/profile-logs.ts';

/** The known state of the log that a copy equals. */
type CopyState = {
  readonly slot: number;
  readonly end: LogEnd;
  /** Bytes of the snapshot that the log begins with. */
  readonly snapshotBytes: number;
  /** When this process last renewed the log's time to live, or read it; seconds. */
  readonly renewedAtS: number;
};

export type Copy = {
  readonly party: string;
  /** Index of the copy in the ring. */
  readonly at: number;
  /** The packed profile, and room for it to grow. */
  readonly view: DataView<ArrayBuffer>;
  /** Bytes of the packed profile. */
  length: number;
  /** The state, field by field: an object renewed with each batch would outlive V8's young generation, and be collected late. */
  readonly slot: number;
  logLength: number;
  logHigh: number;
  logLow: number;
  snapshotBytes: number;
  renewedAtS: number;
  /** Since the hand last passed. */
  wasFound: boolean;
};

type Kind = Pick<ProfileKind<Profile, unknown>, 'layout'>;

export type ProfileMemory = {
  readonly kind: Kind;
  readonly bytesMax: number;
  /** The logs of smaller profiles are read whole in place of a copy. */
  readonly copiedBytesMin: number;
  /** Bytes of all copies, with what each costs beside its view. */
  bytes: number;
  readonly copies: Map<string, Copy>;
  /** The copies in the order in which the hand passes them. An iterator of the map would keep all that was dropped since it moved. */
  readonly ring: (Copy | undefined)[];
  /** Indices of the ring without a copy. */
  readonly free: number[];
  /** Index of the copy that the hand passes next. */
  hand: number;
};

/** Memory of V8 and of the C library for one copy beside its bytes. */
const COPY_BYTES = 400;
/** A copy of a growing list is stored anew once in so many records on average. Larger: fewer copies fit. Smaller: more are stored anew. */
const ROOM_SHARE = 1 / 4;
/** Records are aligned to their largest number. */
const ALIGNED_BYTES = 64;

export function createProfileMemory(
  bytesMax: number,
  kind: Kind,
  copiedBytesMin = 0,
): ProfileMemory {
  return {
    kind,
    bytesMax,
    copiedBytesMin,
    bytes: 0,
    copies: new Map(),
    ring: [],
    free: [],
    hand: 0,
  };
}

export function findCopy({ copies }: ProfileMemory, party: string): Copy | undefined {
  const copy = copies.get(party);
  if (copy !== undefined) copy.wasFound = true;
  return copy;
}

/** Whether the copy is still its party's. */
export function isKept({ copies }: ProfileMemory, copy: Copy): boolean {
  return copies.get(copy.party) === copy;
}

/** Stores a profile as the party's copy. The profile's list may stand in the copy that it replaces. */
export function storeProfile(
  memory: ProfileMemory,
  party: string,
  profile: Profile,
  state: CopyState,
): void {
  const { layout } = memory.kind;
  const length = profileBytes(layout, profile);
  const copy = memory.copies.get(party);
  if (copy !== undefined && copy.view.byteLength >= length) {
    writeProfile(layout, profile, copy.view);
    noteFolded(memory, copy, profile, state);
    return;
  }
  if (copy !== undefined) dropCopy(memory, copy);
  if (length < memory.copiedBytesMin) return;
  const room = Math.ceil((length * (1 + ROOM_SHARE)) / ALIGNED_BYTES) * ALIGNED_BYTES;
  if (!makeRoom(memory, room + COPY_BYTES)) return;
  const view = new DataView(new ArrayBuffer(room));
  writeProfile(layout, profile, view);
  const stored: Copy = {
    party,
    at: memory.free.pop() ?? memory.ring.length,
    view,
    length,
    slot: state.slot,
    logLength: state.end.length,
    logHigh: state.end.high,
    logLow: state.end.low,
    snapshotBytes: state.snapshotBytes,
    renewedAtS: state.renewedAtS,
    wasFound: false,
  };
  memory.copies.set(party, stored);
  memory.ring[stored.at] = stored;
  memory.bytes += room + COPY_BYTES;
}

/** Renews what is known of a copy whose records stand in its view. */
export function noteFolded(
  { kind }: ProfileMemory,
  copy: Copy,
  profile: Profile,
  { end, snapshotBytes, renewedAtS }: CopyState,
): void {
  copy.length = profileBytes(kind.layout, profile);
  copy.logLength = end.length;
  copy.logHigh = end.high;
  copy.logLow = end.low;
  copy.snapshotBytes = snapshotBytes;
  copy.renewedAtS = renewedAtS;
}

/** Where the log ends that a copy equals. */
export function endOf({ logLength, logHigh, logLow }: Copy): LogEnd {
  return { length: logLength, high: logHigh, low: logLow };
}

/** The copy's profile; undefined when it is damaged, or made with other settings. */
export function readProfile(
  kind: Pick<ProfileKind<Profile, unknown>, 'decode'>,
  { view, length }: Copy,
  take: TakeBytes,
): Profile | undefined {
  return kind.decode(view, length, take);
}

export function forgetParty(memory: ProfileMemory, party: string): void {
  const copy = memory.copies.get(party);
  if (copy !== undefined) dropCopy(memory, copy);
}

function dropCopy(memory: ProfileMemory, { party, at, view }: Copy): void {
  memory.copies.delete(party);
  memory.ring[at] = undefined;
  memory.free.push(at);
  memory.bytes -= view.byteLength + COPY_BYTES;
}

/** Drops copies that were not found since the hand last passed; false where so many bytes never fit. */
function makeRoom(memory: ProfileMemory, bytes: number): boolean {
  if (bytes > memory.bytesMax) return false;
  // The loop ends: a copy that stays has lost its mark when the hand comes again.
  while (memory.bytes + bytes > memory.bytesMax) {
    const copy = memory.ring[memory.hand];
    memory.hand = (memory.hand + 1) % memory.ring.length;
    if (copy?.wasFound) copy.wasFound = false;
    else if (copy !== undefined) dropCopy(memory, copy);
  }
  return true;
}

/**
 * Sends snapshots to Redis, a bounded number of bytes at a time, so that a slow Redis slows rebuilds down. Nobody waits for an
 * outcome: the next append to a log shows whether its snapshot was installed.
 */
const CALL_BYTES = 256 * 1024;
const UNDER_WAY_BYTES_MAX = 8 * 1024 * 1024;

export type Installs = ReturnType<typeof createInstalls>;

type InstallsOptions = {
  readonly market: MarketInRedis & { readonly guards: Pick<Guards, 'redis'> };
  readonly logs: ProfileLogs;
  readonly metrics: Pick<Metrics, 'profileInstalls'>;
  readonly ttlSeconds: number;
};

export function createInstalls({ market, logs, metrics, ttlSeconds }: InstallsOptions) {
  let added: LogInstall[] = [];
  let addedBytes = 0;
  let underWayBytes = 0;
  let room = new ArrayBuffer(0);
  let used = 0;
  let answered = Promise.withResolvers<void>();

  async function send(installs: readonly LogInstall[], bytes: number): Promise<void> {
    underWayBytes += bytes;
    try {
      const outcomes = await market.guards.redis.run(() =>
        logs.install(market, ttlSeconds, installs),
      );
      for (const outcome of outcomes) metrics.profileInstalls.inc({ outcome });
    } catch {
      // Most outcomes are unknown and do not matter: a copy counts only where its stamp is found.
      metrics.profileInstalls.inc({ outcome: 'failed' }, installs.length);
    }
    underWayBytes -= bytes;
    answered.resolve();
    answered = Promise.withResolvers<void>();
  }

  function flush(): void {
    if (added.length === 0) return;
    void send(added, addedBytes);
    added = [];
    addedBytes = 0;
  }

  return {
    flush,
    /**
     * Memory for a snapshot, which is not used again while somebody has it: snapshots lie next to each other, as a buffer each would
     * fragment the memory of the C library.
     */
    take(bytes: number): DataView<ArrayBuffer> {
      if (used + bytes > room.byteLength) {
        room = new ArrayBuffer(Math.max(CALL_BYTES, bytes));
        used = 0;
      }
      used += bytes;
      return new DataView(room, used - bytes, bytes);
    },
    add(install: LogInstall): void {
      market.memory.profileBytes -= install.snapshot.length;
      added.push(install);
      addedBytes += install.snapshot.length;
      if (addedBytes >= CALL_BYTES) flush();
    },
    /** Resolves once there is room for more. */
    async waitWhileFull(): Promise<void> {
      while (underWayBytes > UNDER_WAY_BYTES_MAX) await answered.promise;
    },
  };
}

/** Stamps drawn at once: a call takes as long for a single stamp as for hundreds. */
const STAMPS_DRAWN = 512;

/** 64 random bits each. */
export function createStamps(): () => Stamp {
  const drawn = new Uint32Array(2 * STAMPS_DRAWN);
  let next = drawn.length;
  return () => {
    if (next === drawn.length) {
      randomFillSync(drawn);
      next = 0;
    }
    return { high: drawn[next++] ?? 0, low: drawn[next++] ?? 0 };
  };
}
