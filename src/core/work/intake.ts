/**
 * Reads the next batches for free readers. One reader of a process reads at a time, so that batches are folded in the order in
 * which they were read, and a batch takes all that is there, up to a bound: it grows with the work before it.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { Failure } from '../../kit/words/failure.ts';
import type { Delivery, StreamEntry } from '../stream/group/read-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { Batch, Lane, LaneInFlight, ShareOf } from './lanes.ts';

/** Pause after a read of fewer transactions than this: the fixed cost of a batch is most of such a one. */
const SMALL_BATCH = 64;
const SMALL_BATCH_PACE_MS = 8;

export type Intake = ReturnType<typeof createIntake>;

/** Transactions by stream, in the order of the read. */
type ByStream = ReadonlyMap<StreamKeys, number>;

const WAIT_MS_MIN = 50;
const WAIT_MS_MAX = 2000;

export type Pause = ReturnType<typeof createPause>;

type PauseOptions = {
  readonly metrics: Pick<Metrics, 'pauses'>;
  readonly log: Log;
  readonly random: () => number;
};

export function createIntake(
  lane: Pick<Lane, 'transactionsMax' | 'batchesMax' | 'rested' | 'noteRead'>,
  shareOf: ShareOf,
  inFlight: LaneInFlight,
  pause: Pick<Pause, 'over'>,
  signal: AbortSignal,
) {
  const oneReader = pLimit(1);
  /** Transactions of streams that brought all they were asked for. */
  const backlogs = new Map<StreamKeys, number>();
  let asked = new Map<StreamKeys, number>();
  let filled = 0;
  let isQuiet = false;
  let pace: Promise<void> = Promise.resolve();
  const turns = createStreamTurns();
  const note = (deliveries: readonly Delivery[]) => {
    const read = new Map(
      deliveries.map(({ stream, entries }) => [
        stream,
        sum(entries.map((entry) => entry.transactions)),
      ]),
    );
    const totals = new Map(deliveries.map(({ stream, total }) => [stream, total]));
    const cut = cutOff(asked, read, lane.transactionsMax());
    turns.note(asked, read, cut);
    for (const [stream, share] of asked) {
      const transactions = read.get(stream) ?? 0;
      if (transactions >= share) {
        backlogs.set(stream, Math.max(totals.get(stream) ?? 0, transactions));
      } else if (!cut.includes(stream)) backlogs.delete(stream);
    }
    lane.noteRead([...asked.keys()], backlogs);
    const found = sum([...read.values()]);
    // Transactions count, not batches: halves of a batch are as much work as a whole one.
    filled = Math.min(1, (found + inFlight.transactions()) / lane.transactionsMax());
    isQuiet = found < SMALL_BATCH;
    if (found > 0 && isQuiet) pace = sleep(SMALL_BATCH_PACE_MS);
  };
  return {
    /** Waits for the turn and for room, then reads; nothing when the worker stops. */
    next: (read: () => Promise<readonly Delivery[]>): Promise<Batch[]> =>
      oneReader(async () => {
        // Two small batches cost more per transaction and end later than one (p50 of 89 ms for 70 at 5,000 a second);
        // one large one ends later than several small ones (92 to 120 ms for 52 and 57 at 12,000).
        await inFlight.below(Math.max(1, lane.batchesMax(filled)));
        await pace;
        await lane.rested();
        await pause.over();
        if (signal.aborted) return [];
        const deliveries = await read();
        note(deliveries);
        // All batches begin before the first is processed, so that a waiting one does not look abandoned.
        return toBatches(deliveries, lane.transactionsMax()).map(inFlight.begin);
      }),
    inTurn: turns.order,
    isQuiet: () => isQuiet,
    sharesOf(streams: readonly StreamKeys[]): number[] {
      const known = streams.map((stream) => backlogs.get(stream) ?? 0);
      const weights = streams.map(({ corridor }) => shareOf(corridor).weight);
      const shares = shareBatch(known, lane.transactionsMax(), weights);
      asked = new Map(streams.map((stream, index) => [stream, shares[index] ?? 1]));
      return shares;
    },
  };
}

/** Cuts between entries, where a wait ended with entries of several streams at once; otherwise there is one batch. */
export function toBatches(
  deliveries: readonly Pick<Delivery, 'entries'>[],
  transactionsMax: number,
): StreamEntry[][] {
  const batches: StreamEntry[][] = [];
  let room = 0;
  for (const entry of deliveries.flatMap(({ entries }) => entries)) {
    if (room <= 0) {
      batches.push([]);
      room = transactionsMax;
    }
    batches.at(-1)?.push(entry);
    room -= entry.transactions;
  }
  return batches;
}

/** Bound on a busy stream's share, as a multiple of the smallest one. */
const WEIGHT_MAX = 4;

/**
 * How many transactions of each stream make up the next batch. Equal shares would let a busy corridor fall behind in time, so
 * that its merchants' transactions arrive late and need rebuilds; shares by backlog alone would let a flooded corridor starve
 * the others.
 * @param backlogs transactions of each stream that has more than it was asked for; 0 for all others
 * @param own the weight of each stream's corridor
 * @returns transactions of each stream, at least one
 */
export function shareBatch(
  backlogs: readonly number[],
  batchTransactions: number,
  own: readonly number[] = backlogs.map(() => 1),
): number[] {
  const busy = backlogs.filter((backlog) => backlog > 0);
  const mean = sum(busy) / busy.length;
  const weightOf = (backlog: number, at: number) =>
    backlog > 0 ? Math.min(Math.max(1, backlog / mean), WEIGHT_MAX) * (own[at] ?? 1) : 0;
  const weights = backlogs.map(weightOf);
  const ofBusy = batchTransactions / sum(weights);
  // Bounded by the smallest of the busy streams.
  const least = Math.min(...weights.filter((weight) => weight > 0)) * ofBusy;
  const ofOther = Math.min(
    busy.length === 0 ? batchTransactions : least,
    batchTransactions / (backlogs.length - busy.length),
  );
  const shares = weights.map((weight) => (weight > 0 ? weight * ofBusy : ofOther));
  return shares.map((share) => Math.max(1, Math.floor(share)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/**
 * The order in which a read takes streams: deficit round robin. A read ends once it has a batch, so the last streams may get nothing,
 * and an entry is read whole, so the first may get more than their share. In a fixed order the first of a corridor's shards drains
 * first, and merchants of all shards are rebuilt for each shard behind it (2.6 times the processor time with four shards).
 * Streams that may have more than the read returned, as the read ended with its batch: its last stream, and those behind it.
 */
export function cutOff(asked: ByStream, read: ByStream, transactionsMax: number): StreamKeys[] {
  if (totalOf(read) < transactionsMax) return [];
  const streams = [...asked.keys()];
  const last = streams.findLastIndex((stream) => read.has(stream));
  return streams.slice(Math.max(0, last));
}

export function createStreamTurns() {
  /** Transactions that a stream lacks of its shares; negative: that the stream got beyond them. */
  const lacking = new Map<StreamKeys, number>();
  const lackOf = (stream: StreamKeys) => lacking.get(stream) ?? 0;
  return {
    /** Orders the streams of the next read: those that lack most of their shares come first. */
    order: (streams: readonly StreamKeys[]) =>
      [...streams].sort((left, right) => lackOf(right) - lackOf(left)),
    /** @param asked shares of the read */
    note(asked: ByStream, read: ByStream, cut: readonly StreamKeys[]): void {
      if (cut.length === 0) {
        lacking.clear();
        return;
      }
      // Shares of what was read, so that whole entries beyond the batch make nobody's lack grow.
      const each = totalOf(read) / totalOf(asked);
      for (const [stream, share] of asked) {
        const count = read.get(stream) ?? 0;
        if (count >= share || cut.includes(stream)) {
          lacking.set(stream, lackOf(stream) + share * each - count);
        } else lacking.delete(stream);
      }
    },
  };
}

const totalOf = (counts: ByStream) => [...counts.values()].reduce((sum, count) => sum + count, 0);

/**
 * Pauses the worker: while Postgres or Redis fails, batches try again with growing waits and nothing new is read. The first
 * batch that succeeds ends the pause.
 */
export function createPause(signal: AbortSignal, { metrics, log, random }: PauseOptions) {
  let failures = 0;
  let ended = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => ended.resolve(), { once: true });
  return {
    /** Resolves when nothing is paused, or the worker stops. */
    async over(): Promise<void> {
      while (failures > 0 && !signal.aborted) await ended.promise;
    },
    /** Waits before a batch that failed tries again; ends early when the worker stops. */
    async begin(failure: Failure): Promise<void> {
      metrics.pauses.inc({ code: failure.code });
      if (failures === 0) log.warn({ code: failure.code, err: failure.message }, 'worker pauses');
      failures += 1;
      const waitMs = Math.min(WAIT_MS_MIN * 2 ** Math.min(failures, 10), WAIT_MS_MAX);
      await sleep(waitMs * (0.5 + random() / 2), undefined, { signal }).catch(() =>
        ended.resolve(),
      );
    },
    /** A batch succeeded. */
    end(): void {
      if (failures === 0) return;
      log.info({ failures }, 'worker goes on');
      failures = 0;
      ended.resolve();
      ended = Promise.withResolvers<void>();
    },
  };
}
