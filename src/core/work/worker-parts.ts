/**
 * What the readers and duties of one worker share. Calls that cross the process border are given, as the
 * simulation puts stand-ins in their place.
 */
import type { Guard } from '../../kit/breakers/breaker.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { Failure } from '../../kit/words/failure.ts';
import type { GroupDuties } from '../stream/group/consumer-group.ts';
import type { OpenReader } from '../stream/group/reader-connection.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { InFlight } from './in-flight.ts';
import type { Intake } from './intake.ts';
import type { RunUnit } from './isolate-failures.ts';
import type { Pause } from './pause.ts';
import type { BatchSteps } from './process-batch.ts';

/** The connection of the readers, which read one at a time. */
export type OwnConnection = Omit<OpenReader, typeof Symbol.asyncDispose>;

export type Group = GroupDuties & {
  /** Makes missing groups; null where there is one now. */
  readonly ensure: (streams: readonly string[]) => Promise<(Failure | null)[]>;
  /** Throws where entries of a stream could not be settled now. */
  readonly prove: (stream: StreamKeys) => Promise<void>;
  /** Around reads of one corridor alone: its breaker. */
  readonly guardOf: (corridor: string) => Guard;
  /** Whether a read failed because of one stream, or its breaker is open; the others go on. */
  readonly isOfOneStream: (failure: Failure) => boolean;
};

type WorkerSettings = {
  /** Consumers, each with a batch in flight. */
  readonly readers: number;
  /** Transactions of a read. */
  readonly batchTransactions: number;
  readonly blockMs: number;
  readonly claimIdleMs: number;
};

export type WorkerOptions = {
  /** Unique for this start of this process; consumers are numbered under it. */
  readonly name: string;
  readonly connection: OwnConnection;
  readonly group: Group;
  readonly steps: BatchSteps;
  /** Streams as they should be now: corridors times shards. */
  readonly listStreams: () => Promise<StreamKeys[]>;
  /** Duties beyond the worker's own; `streams` tells which streams it reads. */
  readonly duties: (streams: () => readonly StreamKeys[]) => readonly Duty[];
  readonly settings: WorkerSettings;
  readonly signal: AbortSignal;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly random: () => number;
  /** Monotonic clock. */
  readonly nowMs: () => number;
  /** Called whenever the worker shows that it is alive. */
  readonly onSignOfLife: () => void;
};

export type WorkerParts = {
  readonly options: WorkerOptions;
  /** By name; those whose group could be made. */
  readonly streams: Map<string, StreamKeys>;
  readonly inFlight: InFlight;
  readonly intake: Intake;
  readonly pause: Pause;
  readonly runUnit: RunUnit;
  /** The caller's signal, or a bug in a reader. */
  readonly stop: AbortController;
};
