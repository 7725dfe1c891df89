/** A worker process: its connections, its settings, and what it is working on. */

import type { Config } from '../../kit/config/config.ts';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { Failpoint } from '../../kit/process/failpoint.ts';
import { SPANS } from '../../kit/traces/names.ts';
import type { Traces } from '../../kit/traces/open-traces.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import type { DeliveredTransaction } from '../domain/transaction.ts';
import type { Market } from '../market.ts';
import type { Judge } from '../score/judge.ts';
import type { InputSources } from '../score/rules/rule-inputs.ts';
import type { RulesInForce } from '../score/rules-in-force.ts';
import type { ScoreStore } from '../store/scores/scores.ts';
import type { EntryReader } from '../stream/entries/entry.ts';
import type { OpenReader } from '../stream/group/reader-connection.ts';
import { publishingOnKafka } from '../stream/kafka/both-ends.ts';
import type { KafkaClients } from '../stream/kafka/clients.ts';
import type { ReadKafka } from '../stream/kafka/watch-kafka.ts';
import type { StreamKeys } from '../stream/keys.ts';
import { type Settle, settle } from '../stream/settle/settle.ts';
import { type BatchTrace, beginBatchTrace } from './batch-trace.ts';
import type { TablesOf } from './day-tables.ts';
import type { EntryTransaction } from './decided.ts';
import { createIntake, createPause, type Intake, type Pause } from './intake.ts';
import {
  createInFlight,
  createLanes,
  type InFlight,
  type Lane,
  type LaneInFlight,
  type ShareOf,
} from './lanes.ts';
import { createNoteDelivered, type NoteDelivered } from './note-delivered.ts';
import type { Profiles } from './profiles/profiles.ts';
import type { Compared, RolloutCounts } from './rollout-counts.ts';

export type WorkerOptions = {
  /** Unique for this start of this process; consumers are numbered under it. */
  readonly name: string;
  readonly config: Config;
  readonly market: Market;
  readonly metrics: Metrics;
  readonly log: Log;
  /** Null where traces are off. */
  readonly traces: Traces | null;
  readonly failpoint: Failpoint;
  /** The connection of the readers, which read one at a time. */
  readonly reader: Omit<OpenReader, typeof Symbol.asyncDispose>;
  readonly entries: EntryReader;
  readonly profiles: Profiles;
  readonly judge: Judge;
  /** Sources of what rule sets read beside vectors; a batch asks once. */
  readonly inputSources: InputSources;
  readonly scores: ScoreStore;
  /** Whether a control holds the scores of the corridor, as last read: its streams are left alone. */
  readonly isStopped: (corridor: string) => boolean;
  /** Whether a freeze of the corridor is in force, as last read: events say so. */
  readonly isFrozen: (corridor: string) => boolean;
  /** Share of the worker's time by corridor, as last read. */
  readonly shareOf: ShareOf;
  /** The rule sets by the controls as last read; a batch asks once. */
  readonly ruleSets: () => Promise<RulesInForce>;
  readonly tablesOf: TablesOf;
  readonly countFlips: (compared: readonly Compared[]) => void;
  readonly rolloutCounts: RolloutCounts;
  /** Undefined where no KAFKA_URL is set. */
  readonly kafka?: KafkaClients | undefined;
  readonly readKafka?: ReadKafka;
  /** Parts that the express lane has of its own. */
  readonly express: Pick<WorkerOptions, 'reader' | 'profiles' | 'scores'>;
  /** A fault test throws here, or ends the process. */
  readonly beforeScore?: ((transaction: DeliveredTransaction) => void) | undefined;
  readonly random: () => number;
  readonly nowMs: () => number;
  readonly elapsedMs: () => number;
  /** Called whenever the worker shows that it is alive. */
  readonly onSignOfLife: () => void;
};

export type Worker = WorkerOptions & {
  /** By name: streams whose group could be made. */
  readonly streams: Map<string, StreamKeys>;
  readonly inFlight: InFlight;
  readonly intake: Intake;
  readonly lane: Lane;
  readonly pause: Pause;
  readonly settle: Settle;
  /** Undefined where no corridor can have two logs. */
  readonly noteDelivered?: NoteDelivered | undefined;
  /** Aborted by the process' signal, or by a bug in a reader. */
  readonly stop: AbortController;
  /** Trace of the batch that is worked on. */
  readonly trace: BatchTrace | null;
};

/** The worker as each of its lanes sees it. */
export function createWorker(options: WorkerOptions): { main: Worker; express: Worker } {
  const { config, shareOf, elapsedMs } = options;
  const stop = new AbortController();
  const pause = createPause(stop.signal, options);
  const inFlight = createInFlight(stop.signal, elapsedMs);
  const lanes = createLanes(config, shareOf, elapsedMs, stop.signal);
  const own = (lane: Lane, batches: LaneInFlight) => ({
    lane,
    intake: createIntake(lane, shareOf, batches, pause, stop.signal),
  });
  const main = {
    ...options,
    ...own(lanes.main, inFlight),
    streams: new Map(),
    inFlight,
    pause,
    ...settlingOf(options),
    stop,
    trace: null,
  };
  return { main, express: { ...main, ...options.express, ...own(lanes.express, inFlight.lane()) } };
}

function settlingOf({
  kafka,
  market,
  log,
  elapsedMs,
}: WorkerOptions): Pick<Worker, 'settle' | 'noteDelivered'> {
  const onStreams: Settle = (all) => market.guards.redis.run(() => settle(market, all));
  if (kafka === undefined) return { settle: onStreams };
  const { name, logOf } = market;
  const onMissed = (failure: unknown) => {
    if (failure === null) return;
    log.warn({ err: toError(failure).message }, 'events are in Redis alone, as Kafka takes none');
  };
  return {
    settle: publishingOnKafka(onStreams, {
      clients: kafka,
      market: name,
      logOf,
      elapsedMs,
      onMissed,
    }),
    noteDelivered: createNoteDelivered(market, 'streams'),
  };
}

/** Makes the worker of a batch, whose log lines name the trace of the batch. */
export function traceBatch(worker: Worker, transactions: readonly EntryTransaction[]): Worker {
  const { traces, market, log } = worker;
  if (!traces || transactions.length === 0) return worker;
  const trace = beginBatchTrace(traces, market.name, transactions);
  return { ...worker, trace, log: log.child({ trace_id: trace.traceId() }) };
}

/** Begins a stage of a batch; its end is measured, too. */
export function beginStage(
  { metrics, trace }: Pick<Worker, 'metrics' | 'trace'>,
  stage: 'fold' | 'store' | 'settle',
): () => void {
  const endTimer = metrics.batchDuration.startTimer({ stage });
  const span = trace?.begin(SPANS[stage]);
  return () => {
    endTimer();
    span?.end();
  };
}

export const codeOf = (error: unknown) =>
  error instanceof Failure ? error.code : 'PROCESSING_FAILED';
