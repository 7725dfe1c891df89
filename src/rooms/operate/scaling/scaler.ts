/**
 * Decides when a role gets a process more or less, from triggers and measures; the caller has the clock. No step comes within
 * the cool-down of the one before, and none removes a process while a trigger asks for more, or where the processes that stay
 * would be too busy: a step down is then never the cause of a step up under the same load.
 */

import type { Controls } from '../../../core/domain/control.ts';
import { layoutOf } from '../../../core/domain/corridor.ts';
import { readControls } from '../../../core/store/controls/controls.ts';
import { countBacklog } from '../../../core/store/open-rows/open-rows.ts';
import { joinLags } from '../../../core/stream/kafka/lag.ts';
import { openKafkaOf } from '../../../core/stream/kafka/watch-kafka.ts';
import { streamsOf } from '../../../core/stream/keys.ts';
import { measureStreams } from '../../../core/stream/status/lag.ts';
import type { Config } from '../../../kit/config/config.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { processorSeconds } from '../processor-time.ts';
import type { Measure, Trigger } from './triggers.ts';

/** Measures of a moment; one that is unknown is absent, and moves nothing. */
export type Reading = Readonly<Partial<Record<Measure, number>>>;

export type ScalingPolicy = {
  readonly triggers: readonly Trigger[];
  readonly min: number;
  readonly max: number;
  readonly coolDownMs: number;
};

export type Step = {
  readonly change: 1 | -1;
  readonly trigger: Trigger;
  /** The mean that triggered it. */
  readonly mean: number;
};

const SECOND_MS = 1000;

type Stores = {
  readonly config: Pick<Config, 'RISK_MARKET' | 'KAFKA_URL'>;
  readonly database: Database;
  readonly redis: RedisClient;
  readonly log: Log;
};

export function createScaler({ triggers, min, max, coolDownMs }: ScalingPolicy) {
  const longestMs = Math.max(...triggers.map(({ windowSeconds }) => windowSeconds)) * SECOND_MS;
  const busy = triggers.find(({ measure, add }) => add && measure === 'processor_ratio');
  /** Oldest first; the first is as old as the longest window, or older. */
  const samples: { readonly atMs: number; readonly reading: Reading }[] = [];
  const beyondSinceMs = new Map<Trigger, number>();
  let changedMs = Number.NEGATIVE_INFINITY;

  /** Undefined until the samples reach back as far as the window. */
  const meanOf = ({ measure, windowSeconds }: Trigger, nowMs: number): number | undefined => {
    const fromMs = nowMs - windowSeconds * SECOND_MS;
    if ((samples[0]?.atMs ?? nowMs) > fromMs) return undefined;
    const values = samples.flatMap(({ atMs, reading }) =>
      atMs > fromMs ? (reading[measure] ?? []) : [],
    );
    if (values.length === 0) return undefined;
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const note = (nowMs: number, reading: Reading) => {
    samples.push({ atMs: nowMs, reading });
    while ((samples[1]?.atMs ?? nowMs) <= nowMs - longestMs) samples.shift();
    return triggers.flatMap((trigger) => {
      const mean = meanOf(trigger, nowMs);
      const { add, threshold } = trigger;
      if (mean === undefined || (add ? mean <= threshold : mean >= threshold)) {
        beyondSinceMs.delete(trigger);
        return [];
      }
      const sinceMs = beyondSinceMs.get(trigger) ?? nowMs;
      beyondSinceMs.set(trigger, sinceMs);
      return [{ trigger, mean, isDue: nowMs - sinceMs >= trigger.forSeconds * SECOND_MS }];
    });
  };
  /** Whether one process less does the work of now without asking for its return. */
  const isSpare = (nowMs: number, processes: number): boolean => {
    if (busy === undefined) return true;
    const mean = meanOf(busy, nowMs);
    return mean === undefined || (mean * processes) / (processes - 1) < busy.threshold;
  };
  return {
    /** Notes a reading, and returns the step to take now; the caller takes each step and calls `changed`. */
    next(nowMs: number, processes: number, reading: Reading): Step | undefined {
      const beyond = note(nowMs, reading);
      if (nowMs - changedMs < coolDownMs) return undefined;
      const asks = beyond.filter(({ trigger }) => trigger.add);
      const due = (asks.length > 0 ? asks : beyond).find(({ isDue }) => isDue);
      if (due === undefined) return undefined;
      const { trigger, mean } = due;
      if (trigger.add) return processes < max ? { change: 1, trigger, mean } : undefined;
      const mayGo = processes > min && isSpare(nowMs, processes);
      return mayGo ? { change: -1, trigger, mean } : undefined;
    },
    /** The cool-down counts from here. */
    changed(nowMs: number) {
      changedMs = nowMs;
    },
  };
}

/**
 * Reads what triggers of workers compare: from Postgres, Redis and Kafka, and from the processes of this machine.
 * Reads depth and age of what waits for workers in a market: the backlog without what workers are at. Between the two readings some
 * transactions move, so that a single depth may be below 0. What it returns throws a Failure.
 */
export function openQueueReader(
  stack: AsyncDisposableStack,
  { config, database, redis, log }: Stores,
): () => Promise<Reading> {
  const { RISK_MARKET: market, KAFKA_URL: url } = config;
  let controls: Pick<Controls, 'settings'> = { settings: new Map() };
  const corridors = () => new Set(controls.settings.keys());
  const layout = layoutOf(() => controls);
  const watched = { redis, market, controls: { corridors, layout }, metrics: null, log };
  const { readKafka } = openKafkaOf(url, stack, watched);
  return async () => {
    const [backlog, now] = await Promise.all([
      countBacklog(database.query),
      readControls(database),
    ]);
    controls = now;
    const ofStreams = await measureStreams(redis, streamsOf(market, corridors(), layout.shardsOf));
    const { isDown = false, lags = [] } = readKafka() ?? {};
    if (isDown) throw new Failure('unavailable', 'KAFKA_DOWN', 'Kafka does not answer');
    const measured = joinLags(ofStreams, lags, layout.logOf);
    const ages = measured.map(({ oldestAgeMs }) => oldestAgeMs);
    const atWorkers = measured.reduce((sum, { pending }) => sum + pending, 0);
    return {
      queue_depth_transactions: backlog - atWorkers,
      queue_age_seconds: Math.max(0, ...ages) / 1000,
    };
  };
}

/** Makes a function that returns the share of a processor that each process used since the call before, on average. */
export function createProcessorReader(nowMs: () => number) {
  let before = { atMs: nowMs(), seconds: new Map<number, number>() };
  return (pids: readonly number[]): Reading => {
    const seconds = new Map<number, number>();
    for (const pid of pids) {
      const used = processorSeconds(pid);
      if (used !== undefined) seconds.set(pid, used);
    }
    const last = before;
    before = { atMs: nowMs(), seconds };
    const spanSeconds = (before.atMs - last.atMs) / 1000;
    const shares = [...seconds].flatMap(([pid, used]) => {
      const earlier = last.seconds.get(pid);
      return earlier === undefined ? [] : (used - earlier) / spanSeconds;
    });
    if (shares.length === 0 || spanSeconds === 0) return {};
    return { processor_ratio: shares.reduce((sum, share) => sum + share, 0) / shares.length };
  };
}
