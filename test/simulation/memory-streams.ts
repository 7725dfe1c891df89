/**
 * Streams, their one consumer group and the retries, as Redis and the scripts of src/core/stream/lua keep
 * them. For this simulation only: every function is one command or one script, hence atomic.
 */
import type { PackedEntry } from '../../src/core/stream/entries/entry.ts';
import type { Claimed, ClaimOptions } from '../../src/core/stream/group/consumer-group.ts';
import type { Read, ReadOptions } from '../../src/core/stream/group/read-group.ts';
import type { Settlement } from '../../src/core/stream/settle/settle.ts';
import type { HeadPage } from '../../src/core/stream/status/heads.ts';
import { adopt, readHeads, readRetryHeads } from './memory-heads.ts';
import { claim, existing, readNew, readOwn, touch } from './memory-reads.ts';
import { settle } from './memory-settle.ts';
import { idOf, type Stream, type StreamGuards, type StreamObserver } from './memory-stream.ts';

export type MemoryStreams = {
  readonly append: (stream: string, entry: PackedEntry) => void;
  readonly ensureGroup: (stream: string) => void;
  /** Undefined where there is nothing to read. */
  readonly readNew: (options: ReadOptions) => Read | undefined;
  readonly readOwn: (options: ReadOptions, after: string) => Read;
  readonly claim: (options: ClaimOptions) => Claimed;
  readonly heartbeat: (stream: string, consumer: string, ids: readonly string[]) => number;
  readonly settle: (settlement: Settlement) => null;
  readonly promote: (stream: string) => number;
  /** In the stream, and waiting for their next attempt. */
  readonly entries: (stream: string) => PackedEntry[];
  readonly retries: (stream: string) => PackedEntry[];
  readonly pendingCount: () => number;
  readonly adopt: (stream: string) => void;
  readonly heads: (stream: string, from: string) => HeadPage;
  readonly retryHeads: (stream: string, from: string | null) => HeadPage;
  readonly regroup: () => void;
  /** Spoils the nth entry of all; false where there is none. */
  readonly spoil: (nth: number) => boolean;
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
  skewMs: number,
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
  const append = (name: string, entry: PackedEntry) => {
    // Never the same twice, as the milliseconds of a real id see to even in an emptied Redis.
    state.lastId = Math.max(state.lastId + 1, Math.floor(nowMs()) + skewMs);
    streamOf(name).entries.set(state.lastId, entry);
  };
  return {
    append(name, entry) {
      append(name, entry);
      change();
    },
    ensureGroup(name) {
      streamOf(name).group ??= { lastDelivered: 0, pending: new Map() };
    },
    readNew: (options) => readNew(state.streams, options, nowMs(), observer),
    readOwn: (options, after) => readOwn(state.streams, options, after, nowMs(), observer),
    claim: (options) => claim(state.streams, options, nowMs(), observer),
    heartbeat(name, consumer, ids) {
      const { group } = existing(state.streams, name);
      const ours = ids.map(idOf).filter((id) => group.pending.get(id)?.consumer === consumer);
      for (const id of ours) touch(group, id, consumer, nowMs(), 0);
      return ours.length;
    },
    settle(settlement) {
      const name = settlement.stream.transactions;
      settle(streamOf(name), settlement, {
        ...{ nowMs: nowMs(), observer, guards },
        append: (entry) => append(name, entry),
      });
      change();
      return null;
    },
    promote(name) {
      const { retries } = streamOf(name);
      const due = [...retries].filter(([, { dueMs }]) => dueMs <= nowMs());
      for (const [key, { entry }] of due.sort(([, a], [, b]) => a.dueMs - b.dueMs)) {
        retries.delete(key);
        append(name, entry);
      }
      change();
      return due.length;
    },
    entries: (name) => [...streamOf(name).entries.values()],
    retries: (name) => [...streamOf(name).retries.values()].map(({ entry }) => entry),
    pendingCount() {
      let count = 0;
      for (const { group } of state.streams.values()) count += group?.pending.size ?? 0;
      return count;
    },
    adopt: (name) => adopt(streamOf(name)),
    heads: (name, from) => readHeads(streamOf(name), from),
    retryHeads: (name, from) => readRetryHeads(streamOf(name), from),
    regroup() {
      for (const stream of state.streams.values()) {
        const lastDelivered = Math.max(0, ...stream.entries.keys());
        stream.group = { lastDelivered, pending: new Map() };
      }
    },
    spoil(nth) {
      const all = [...state.streams.values()].flatMap(({ entries }) =>
        [...entries].map(([id, entry]) => ({ entries, id, entry })),
      );
      const spoilt = all[nth % Math.max(1, all.length)];
      if (spoilt === undefined) return false;
      const { entries, id, entry } = spoilt;
      const head = nth % 2 === 0 ? entry.head : '?';
      entries.set(id, { ...entry, head, packed: Buffer.from(`spoilt-${nth}`) });
      return true;
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
