/**
 * Streams, their one consumer group and the retries, as Redis and the scripts of src/stream/lua keep
 * them. For this simulation only: every function is one command or one script, hence atomic.
 */
import { Failure } from '../../src/domain/failure.ts';
import {
  CLAIM_START,
  type Claimed,
  type ClaimOptions,
  DELIVERIES_TOGETHER,
} from '../../src/stream/consumer-group.ts';
import { ENTRY_VERSION } from '../../src/stream/entry.ts';
import type { Delivery, ReadOptions, StreamEntry } from '../../src/stream/read-group.ts';
import type { ScoredEvent, Settlement } from '../../src/stream/settle.ts';

type Pending = { readonly consumer: string; readonly sinceMs: number; readonly deliveries: number };
type Group = { lastDelivered: number; readonly pending: Map<number, Pending> };
type Stream = {
  readonly entries: Map<number, string>;
  group: Group | null;
  readonly retries: Map<string, number>;
};

/** What the checks look at as it happens. */
export type StreamObserver = {
  readonly delivered: (packed: string, deliveries: number) => void;
  /** What became of an entry; `packed` is undefined where it had left the stream before. */
  readonly ended: (
    packed: string | undefined,
    outcome: 'acknowledged' | 'retry' | 'dead' | 'released',
  ) => void;
  readonly scored: (event: ScoredEvent, entry: string) => void;
};

/** Guards that a test takes out to see the simulation go red. */
export type StreamGuards = { readonly ownerCheck: boolean };

export type MemoryStreams = {
  readonly append: (stream: string, packed: string) => void;
  readonly ensureGroup: (stream: string) => void;
  /** Undefined where there is nothing to read; throws when a group is missing. */
  readonly readNew: (options: ReadOptions) => Delivery[] | undefined;
  readonly readOwn: (options: ReadOptions, after: string) => Delivery[];
  readonly claim: (options: ClaimOptions) => Claimed;
  readonly heartbeat: (stream: string, consumer: string, ids: readonly string[]) => number;
  readonly settle: (settlement: Settlement) => Set<string>;
  readonly promote: (stream: string) => number;
  /** Packed values in the stream, and those that wait for their next attempt. */
  readonly entries: (stream: string) => string[];
  readonly retries: (stream: string) => string[];
  readonly pendingCount: () => number;
  /** Called once something may have become readable. */
  readonly onChange: (listener: () => void) => void;
  /** Lets blocked readers find out that the connection is gone. */
  readonly hangUp: () => void;
  readonly wipe: () => void;
  readonly remember: () => void;
  readonly rollBack: () => void;
};

type State = {
  streams: Map<string, Stream>;
  lastId: number;
  remembered: Map<string, Stream>;
  listeners: (() => void)[];
};

export function createMemoryStreams(
  nowMs: () => number,
  observer: StreamObserver,
  guards: StreamGuards,
): MemoryStreams {
  const state: State = {
    ...{ streams: new Map<string, Stream>(), lastId: 0 },
    ...{ remembered: new Map<string, Stream>(), listeners: [] },
  };
  const streamOf = (name: string): Stream => {
    let stream = state.streams.get(name);
    if (stream === undefined) {
      stream = { entries: new Map(), group: null, retries: new Map() };
      state.streams.set(name, stream);
    }
    return stream;
  };
  const change = () => {
    for (const listener of state.listeners.splice(0)) listener();
  };
  const append = (name: string, packed: string) => {
    // Never the same twice, as the milliseconds of a real id see to even in an emptied Redis.
    state.lastId += 1;
    streamOf(name).entries.set(state.lastId, packed);
  };
  return {
    append(name, packed) {
      append(name, packed);
      change();
    },
    ensureGroup(name) {
      streamOf(name).group ??= { lastDelivered: 0, pending: new Map() };
    },
    readNew: (options) => readNew(state, options, nowMs(), observer),
    readOwn: (options, after) => readOwn(state, options, after, nowMs(), observer),
    claim: (options) => claim(state, options, nowMs(), observer),
    heartbeat(name, consumer, ids) {
      const { group } = existing(state, name);
      const ours = ids.map(idOf).filter((id) => group.pending.get(id)?.consumer === consumer);
      for (const id of ours) touch(group, id, consumer, nowMs(), 0);
      return ours.length;
    },
    settle(settlement) {
      const settled = settle(streamOf(settlement.stream.transactions), settlement, {
        ...{ nowMs: nowMs(), observer, guards },
        append: (packed) => append(settlement.stream.transactions, packed),
      });
      change();
      return settled;
    },
    promote(name) {
      const { retries } = streamOf(name);
      const due = [...retries].filter(([, atMs]) => atMs <= nowMs()).sort((a, b) => a[1] - b[1]);
      for (const [packed] of due) {
        retries.delete(packed);
        append(name, packed);
      }
      change();
      return due.length;
    },
    entries: (name) => [...streamOf(name).entries.values()],
    retries: (name) => [...streamOf(name).retries.keys()],
    pendingCount() {
      let count = 0;
      for (const { group } of state.streams.values()) count += group?.pending.size ?? 0;
      return count;
    },
    onChange: (listener) => state.listeners.push(listener),
    hangUp: change,
    wipe() {
      state.streams = new Map();
      change();
    },
    remember() {
      state.remembered = copyOf(state.streams);
    },
    rollBack() {
      state.streams = copyOf(state.remembered);
      change();
    },
  };
}

function copyOf(streams: ReadonlyMap<string, Stream>): Map<string, Stream> {
  return new Map(
    [...streams].map(([name, { entries, group, retries }]) => [
      name,
      {
        entries: new Map(entries),
        group: group && { ...group, pending: new Map(group.pending) },
        retries: new Map(retries),
      },
    ]),
  );
}

function existing({ streams }: State, name: string): Stream & { readonly group: Group } {
  const stream = streams.get(name);
  if (!stream?.group) throw new Failure('unavailable', 'REDIS_NOGROUP', `no group in ${name}`);
  return stream as Stream & { readonly group: Group };
}

function touch(group: Group, id: number, consumer: string, sinceMs: number, by: number): number {
  const deliveries = (group.pending.get(id)?.deliveries ?? 0) + by;
  group.pending.set(id, { consumer, sinceMs, deliveries });
  return deliveries;
}

function toEntry(id: number, packed: string | undefined, deliveries: number): StreamEntry {
  const deleted = packed === undefined;
  const version = deleted ? null : ENTRY_VERSION;
  return { id: `${id}-0`, version, packed: packed ?? null, deleted, deliveries };
}

const idOf = (id: string) => Number.parseInt(id, 10);

function readNew(
  state: State,
  { consumer, streams, entriesMax }: ReadOptions,
  nowMs: number,
  observer: StreamObserver,
): Delivery[] | undefined {
  const deliveries: Delivery[] = [];
  for (const name of streams) {
    const { entries, group } = existing(state, name);
    const fresh = [...entries].filter(([id]) => id > group.lastDelivered).slice(0, entriesMax);
    for (const [id, packed] of fresh) {
      group.lastDelivered = id;
      observer.delivered(packed, touch(group, id, consumer, nowMs, 1));
    }
    const found = fresh.map(([id, packed]) => toEntry(id, packed, 1));
    if (found.length > 0) deliveries.push({ stream: name, entries: found });
  }
  return deliveries.length > 0 ? deliveries : undefined;
}

function readOwn(
  state: State,
  { consumer, streams, entriesMax }: ReadOptions,
  after: string,
  nowMs: number,
  observer: StreamObserver,
): Delivery[] {
  return streams.map((name) => {
    const { entries, group } = existing(state, name);
    const own = [...group.pending]
      .filter(([id, pending]) => pending.consumer === consumer && id > idOf(after))
      .sort(([a], [b]) => a - b)
      .slice(0, entriesMax);
    for (const [id] of own) {
      observer.delivered(entries.get(id) ?? '', touch(group, id, consumer, nowMs, 1));
    }
    return { stream: name, entries: own.map(([id]) => toEntry(id, entries.get(id), 2)) };
  });
}

/** lua/claim-stale-1.lua */
function claim(
  state: State,
  { stream, consumer, idleMs, cursor, entriesMax }: ClaimOptions,
  nowMs: number,
  observer: StreamObserver,
): Claimed {
  const { entries, group } = existing(state, stream);
  const from = cursor === CLAIM_START ? 0 : idOf(cursor.slice(1)) + 1;
  const stale = [...group.pending]
    .filter(([id, pending]) => id >= from && nowMs - pending.sinceMs >= idleMs)
    .sort(([a], [b]) => a - b)
    .slice(0, entriesMax);
  const ids: number[] = [];
  for (const [id, { deliveries }] of stale) {
    const alone = deliveries >= DELIVERIES_TOGETHER;
    if (alone && ids.length > 0) break;
    ids.push(id);
    if (alone) break;
  }
  const last = ids.at(-1);
  if (last === undefined) return { cursor: CLAIM_START, entries: [] };
  const claimed = ids.flatMap((id) => {
    const packed = entries.get(id);
    if (packed === undefined) {
      group.pending.delete(id);
      return [];
    }
    const deliveries = touch(group, id, consumer, nowMs, 1);
    observer.delivered(packed, deliveries);
    return [toEntry(id, packed, deliveries)];
  });
  const isEnd = stale.length < entriesMax && ids.length === stale.length;
  return { cursor: isEnd ? CLAIM_START : `(${last}-0`, entries: claimed };
}

type Settling = {
  readonly nowMs: number;
  readonly observer: StreamObserver;
  readonly guards: StreamGuards;
  readonly append: (packed: string) => void;
};

/** lua/settle-4.lua */
function settle(
  stream: Stream,
  { consumer, acknowledged, retries, deadLetters, released }: Settlement,
  { nowMs, observer, guards, append }: Settling,
): Set<string> {
  const gone = new Set<string>();
  const end = (entryId: string, outcome: Parameters<StreamObserver['ended']>[1]) => {
    const id = idOf(entryId);
    const packed = stream.entries.get(id);
    stream.group?.pending.delete(id);
    stream.entries.delete(id);
    observer.ended(packed, outcome);
  };
  const isOwned = (entryId: string) =>
    !guards.ownerCheck || stream.group?.pending.get(idOf(entryId))?.consumer === consumer;
  // Looked up only where fewer are pending than are acknowledged.
  const isWhole = acknowledged.every(({ entryId }) => stream.group?.pending.has(idOf(entryId)));
  const suspects = isWhole ? [] : acknowledged.map(({ entryId }) => entryId);
  for (const id of suspects) if (!stream.entries.has(idOf(id))) gone.add(id);
  for (const { entryId, event } of acknowledged) {
    if (event !== null && !gone.has(entryId)) observer.scored(event, entryId);
    end(entryId, 'acknowledged');
  }
  for (const { entryId, waitMs, packed } of retries) {
    if (!isOwned(entryId)) continue;
    stream.retries.set(packed, nowMs + waitMs);
    end(entryId, 'retry');
  }
  for (const { entryId } of deadLetters) if (isOwned(entryId)) end(entryId, 'dead');
  for (const { entryId, packed } of released) {
    if (!isOwned(entryId)) continue;
    append(packed);
    end(entryId, 'released');
  }
  return gone;
}
