/**
 * Two lanes of a worker. In calm the main lane reads all streams. While it drains a long backlog, it reads all busy streams, and the
 * express lane the quiet ones, with a connection, batches in flight and turns of its own. As long as the express lane has traffic,
 * the drain goes on in batches that are short in time, one after the other, with rests between them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Config } from '../../kit/config/config.ts';
import type { Controls } from '../domain/control.ts';
import { DEFAULT_SETTINGS } from '../domain/corridor.ts';
import { isPosted } from '../stream/entries/entry-head.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import type { StreamKeys } from '../stream/keys.ts';

export type Lane = {
  /** Resolves once the lane has streams to read, or the worker stops. */
  readonly ready: (streams: () => readonly StreamKeys[]) => Promise<void>;
  readonly choose: (streams: readonly StreamKeys[]) => readonly StreamKeys[];
  /** Transactions of the next batch; its last entry may exceed the bound. */
  readonly transactionsMax: () => number;
  /** Batches in flight, by how much of a batch is in flight or was read last (at most 1). */
  readonly batchesMax: (filled: number) => number;
  /** Resolves when the next batch may be read. */
  readonly rested: () => Promise<void>;
  /** @param backlogs transactions of those streams that brought all they were asked for */
  readonly noteRead: (
    read: readonly StreamKeys[],
    backlogs: ReadonlyMap<StreamKeys, number>,
  ) => void;
  readonly noteBegun: (batches: readonly Batch[]) => void;
  readonly noteWorked: (batches: readonly Batch[], tookMs: number) => void;
};

/** Batches of a backlog that begin a drain. Larger: other streams wait longer beside the drain; smaller: ordinary bursts are split. */
const DRAINED_BATCHES = 4;
/** Batches of a backlog with which a stream joins a drain. Larger: busy corridors halve the drain; smaller: posts of quiet ones join it. */
const JOINED_BATCHES = 1;
/**
 * How long after a corridor's last transaction the drain leaves the corridor room, and how long after a backlog a stream counts as
 * busy. Larger slows the drain; smaller makes a first transaction wait, and lets busy streams change lanes.
 */
const COMPANY_MS = 10_000;
/**
 * How long a drain leaves room when it begins, as traffic of other corridors is not known yet. Larger: short backlogs take longer;
 * smaller: the first transactions of other corridors wait for as many whole batches as a worker has readers.
 */
const BEGINNING_MS = 1000;
/** Time of a drain's batch in company: larger delays others, smaller costs the drain more a transaction. */
const BATCH_MS = 50;
/** Bounds on its transactions: below the first a batch is mostly fixed costs, and the second is folded in one go. */
const [COMPANY_BATCH_MIN, COMPANY_BATCH_MAX] = [100, 300];
/** Part of the time that all floors together may take from a drain. */
const FLOORS_MAX = 0.3;
/** Weight of the last batch in the mean time of a transaction. */
const NEWEST = 0.2;

/** Readers, and batches in flight, of the express lane: batches that wait for a store do not hold up the next one. */
export const EXPRESS_READERS = 3;
/** Transactions of an express batch: larger delays those behind it, smaller costs more a transaction. */
const EXPRESS_BATCH_MAX = 200;

type CorridorShare = {
  /** Factor of the corridor's part of a batch beside other busy corridors. */
  readonly weight: number;
  /** Part of a worker's time that a drain leaves to the corridor while the corridor has traffic, from 0 to 1. */
  readonly floor: number;
};

export type ShareOf = (corridor: string) => CorridorShare;

/** Floor of a corridor of weight 1. Larger: drains are slower; smaller: other corridors wait longer beside a drain. */
const FLOOR = 0.1;

export function createLanes(
  config: Pick<Config, 'RISK_BATCH_ENTRIES' | 'RISK_WORKER_READERS'>,
  shareOf: ShareOf,
  elapsedMs: () => number,
  signal: AbortSignal,
): { readonly main: Lane; readonly express: Lane } {
  const { RISK_BATCH_ENTRIES: transactionsMax, RISK_WORKER_READERS: readers } = config;
  const draining = new Set<StreamKeys>();
  /** Streams that drained, and when their last backlog was read. */
  const busy = new Map<StreamKeys, number>();
  /** Quiet streams with posted entries, and when the last of these entries was read. */
  const company = new Map<StreamKeys, number>();
  let isSplit = false;
  let beginsUntilMs = 0;
  let msEach = BATCH_MS / COMPANY_BATCH_MAX;
  let rest = Promise.resolve();
  let changed = Promise.withResolvers<void>();
  const change = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  signal.addEventListener('abort', change, { once: true });
  const isBusy = (stream: StreamKeys) => {
    const readMs = busy.get(stream) ?? Number.NEGATIVE_INFINITY;
    return draining.has(stream) || readMs >= elapsedMs() - COMPANY_MS;
  };
  const others = (streams: readonly StreamKeys[]) => streams.filter((stream) => !isBusy(stream));
  const isDrain = () => isSplit && draining.size > 0;
  const hasCompany = () => {
    const sinceMs = elapsedMs() - COMPANY_MS;
    for (const [stream, atMs] of company) {
      if (atMs < sinceMs || isBusy(stream)) company.delete(stream);
    }
    return isDrain() && (company.size > 0 || elapsedMs() < beginsUntilMs);
  };
  const noteRead: Lane['noteRead'] = (read, backlogs) => {
    for (const stream of read) {
      const backlog = backlogs.get(stream) ?? 0;
      const batches = draining.size === 0 ? DRAINED_BATCHES : JOINED_BATCHES;
      if (backlog >= transactionsMax * batches) {
        if (draining.size === 0 && !isBusy(stream)) beginsUntilMs = elapsedMs() + BEGINNING_MS;
        draining.add(stream);
      } else if (backlog === 0) draining.delete(stream);
      if (draining.has(stream)) busy.set(stream, elapsedMs());
    }
    change();
  };
  // Streams are noted before a drain, too, so that a drain begins with short batches where other streams have traffic.
  const noteBegun: Lane['noteBegun'] = (batches) => {
    for (const stream of postedTo(batches)) {
      if (!isBusy(stream)) company.set(stream, elapsedMs());
    }
  };
  const restAfter = (tookMs: number) => {
    const floor = floorOf(new Set([...company.keys()].map(({ corridor }) => corridor)), shareOf);
    const restMs = (tookMs * floor) / (1 - floor);
    if (restMs >= 1) rest = sleep(restMs, undefined, { signal }).catch(() => undefined);
  };
  const main: Lane = {
    ready: () => Promise.resolve(),
    choose(streams) {
      // A corridor that is stopped is read by nobody, so nobody would notice that its drain is over.
      for (const stream of draining) if (!streams.includes(stream)) draining.delete(stream);
      return isDrain() ? streams.filter(isBusy) : streams;
    },
    transactionsMax: () =>
      hasCompany() ? Math.min(transactionsMax, companyBatch(msEach)) : transactionsMax,
    batchesMax: (filled) => (hasCompany() ? 1 : Math.floor(filled * readers)),
    rested: () => rest,
    noteRead,
    noteBegun,
    noteWorked(batches, tookMs) {
      if (!hasCompany()) return;
      const each = tookMs / Math.max(1, transactionsOf(batches));
      msEach += (each - msEach) * NEWEST;
      restAfter(tookMs);
    },
  };
  const express: Lane = {
    async ready(streams) {
      while (!signal.aborted) {
        isSplit = draining.size > 0 && others(streams()).length > 0;
        if (isSplit) return;
        await changed.promise;
      }
    },
    choose: others,
    transactionsMax: () => Math.min(transactionsMax, EXPRESS_BATCH_MAX),
    batchesMax: () => EXPRESS_READERS,
    rested: () => Promise.resolve(),
    noteRead,
    noteBegun,
    noteWorked: () => undefined,
  };
  return { main, express };
}

function companyBatch(msEach: number): number {
  return Math.min(Math.max(COMPANY_BATCH_MIN, Math.round(BATCH_MS / msEach)), COMPANY_BATCH_MAX);
}

function floorOf(corridors: ReadonlySet<string>, shareOf: ShareOf): number {
  return Math.min(
    [...corridors].reduce((sum, name) => sum + shareOf(name).floor, 0),
    FLOORS_MAX,
  );
}

/** Streams with posted entries. Entries of the reconciler are a backlog in Postgres, which grows if a drain rests for them. */
function postedTo(batches: readonly Batch[]): ReadonlySet<StreamKeys> {
  const streams = new Set<StreamKeys>();
  for (const { entries } of batches) {
    for (const { stream, head } of entries) {
      if (!streams.has(stream) && isPosted(head)) streams.add(stream);
    }
  }
  return streams;
}

function transactionsOf(batches: readonly Batch[]): number {
  return batches
    .flatMap(({ entries }) => entries)
    .reduce((sum, { transactions }) => sum + transactions, 0);
}

/**
 * Shares of a worker's time by corridor.
 * @param settings as last read
 */
export const shareOfSettings =
  (settings: () => Controls['settings']): ShareOf =>
  (corridor) => {
    const { weight } = settings().get(corridor) ?? DEFAULT_SETTINGS;
    return { weight, floor: weight * FLOOR };
  };

/** Entries that are worked on together; `end` is called once they are settled, or left to others. */
export type Batch = { readonly entries: readonly StreamEntry[]; readonly end: () => void };

/** Batches of one lane; another lane has bounds of its own. */
export type LaneInFlight = ReturnType<InFlight['lane']>;

export type InFlight = ReturnType<typeof createInFlight>;

export function createInFlight(signal: AbortSignal, elapsedMs: () => number) {
  const batches = new Map<readonly StreamEntry[], number>();
  let changed = Promise.withResolvers<void>();
  const change = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  signal.addEventListener('abort', change, { once: true });
  const lane = () => {
    const own = new Set<readonly StreamEntry[]>();
    return {
      begin(entries: readonly StreamEntry[]): Batch {
        batches.set(entries, elapsedMs());
        own.add(entries);
        const end = () => {
          batches.delete(entries);
          own.delete(entries);
          change();
        };
        return { entries, end };
      },
      transactions() {
        let sum = 0;
        for (const batch of own) for (const { transactions } of batch) sum += transactions;
        return sum;
      },
      /** Resolves once fewer than `batchesMax` batches are in flight, or the worker stops. */
      async below(batchesMax: number) {
        while (own.size >= batchesMax && !signal.aborted) await changed.promise;
      },
    };
  };
  return {
    ...lane(),
    lane,
    /** Ids of a stream's entries; collected on request, as only claims and drains need them. */
    idsOf(stream: string): Set<string> {
      const ofStream = [...batches.keys()]
        .flat()
        .filter((entry) => entry.stream.transactions === stream);
      return new Set(ofStream.map(({ id }) => id));
    },
    /** Entries of batches that began longer ago than `ageMs`, by stream and consumer. */
    olderThan(ageMs: number) {
      const nowMs = elapsedMs();
      const old = [...batches].flatMap(([batch, since]) => (nowMs - since >= ageMs ? batch : []));
      const groups = Map.groupBy(old, (entry) => `${entry.stream.transactions} ${entry.consumer}`);
      return Array.from(groups.values(), (entries) => {
        const { stream, consumer } = entries[0] as StreamEntry;
        return { stream: stream.transactions, consumer, ids: entries.map(({ id }) => id) };
      });
    },
    async drained(): Promise<void> {
      while (batches.size > 0) await changed.promise;
    },
  };
}
