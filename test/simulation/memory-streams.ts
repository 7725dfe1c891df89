/**
 * Streams, their one consumer group and the retries, as Redis and the scripts of src/core/stream/lua keep
 * them. For this simulation only: every function is one command or one script, hence atomic.
 */
import type { PackedEntry } from '../../src/core/stream/entries/entry.ts';
import type { ClaimOptions } from '../../src/core/stream/group/consumer-group.ts';
import type { ReadOptions } from '../../src/core/stream/group/read-group.ts';
import type { Settlement } from '../../src/core/stream/settle/settle.ts';
import { adopt, readHeads, readRetryHeads } from './memory-heads.ts';
import { claim, existing, readNew, readOwn, touch } from './memory-reads.ts';
import { settle } from './memory-settle.ts';
import { idOf, type Stream, type StreamGuards, type StreamObserver } from './memory-stream.ts';

export type MemoryStreams = ReturnType<typeof createMemoryStreams>;

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
) {
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
    append(name: string, entry: PackedEntry) {
      append(name, entry);
      change();
    },
    ensureGroup(name: string) {
      streamOf(name).group ??= { lastDelivered: 0, pending: new Map() };
    },
    /** Undefined where there is nothing to read. */
    readNew: (options: ReadOptions) => readNew(state.streams, options, nowMs(), observer),
    readOwn: (options: ReadOptions, after: string) =>
      readOwn(state.streams, options, after, nowMs(), observer),
    claim: (options: ClaimOptions) => claim(state.streams, options, nowMs(), observer),
    heartbeat(name: string, consumer: string, ids: readonly string[]) {
      const { group } = existing(state.streams, name);
      const ours = ids.map(idOf).filter((id) => group.pending.get(id)?.consumer === consumer);
      for (const id of ours) touch(group, id, consumer, nowMs(), 0);
      return ours.length;
    },
    settle(settlement: Settlement) {
      const name = settlement.stream.transactions;
      settle(streamOf(name), settlement, {
        ...{ nowMs: nowMs(), observer, guards },
        append: (entry) => append(name, entry),
      });
      change();
      return null;
    },
    promote(name: string) {
      const { retries } = streamOf(name);
      const due = [...retries].filter(([, { dueMs }]) => dueMs <= nowMs());
      for (const [key, { entry }] of due.sort(([, a], [, b]) => a.dueMs - b.dueMs)) {
        retries.delete(key);
        append(name, entry);
      }
      change();
      return due.length;
    },
    entries: (name: string) => [...streamOf(name).entries.values()],
    /** Entries that wait for their next attempt. */
    retries: (name: string) => [...streamOf(name).retries.values()].map(({ entry }) => entry),
    pendingCount() {
      let count = 0;
      for (const { group } of state.streams.values()) count += group?.pending.size ?? 0;
      return count;
    },
    adopt: (name: string) => adopt(streamOf(name)),
    heads: (name: string, from: string) => readHeads(streamOf(name), from),
    retryHeads: (name: string, from: string | null) => readRetryHeads(streamOf(name), from),
    regroup() {
      for (const stream of state.streams.values()) {
        const lastDelivered = Math.max(0, ...stream.entries.keys());
        stream.group = { lastDelivered, pending: new Map() };
      }
    },
    /** Spoils the nth entry of all; false where there is none. */
    spoil(nth: number) {
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
    /** Calls a listener once something may have become readable. */
    onChange: (listener: () => void) => state.listeners.push(listener),
    /** Lets blocked readers find out that the connection is gone. */
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
