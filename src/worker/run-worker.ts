/**
 * The worker: readers that take turns at the streams, timed duties around them, and an orderly end. It
 * knows no adapter; src/main/worker.ts passes them.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Failure, toError } from '../domain/failure.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { GroupDuties } from '../stream/group/consumer-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { createIntake, type Intake } from './intake.ts';
import { type Duty, ofEach, runMaintenance } from './maintenance.ts';
import { createPause, type Pause } from './pause.ts';
import type { BatchSteps } from './process-batch.ts';
import {
  type EnsureGroups,
  type ReaderConnection,
  type ReaderOptions,
  runReader,
} from './reader.ts';
import { createReclaim } from './reclaim.ts';
import { createRunUnit, type RunUnit } from './run-unit.ts';

/** The connection of the readers, which read one at a time. */
export type OwnConnection = ReaderConnection & {
  /** Ends a blocking read early, without losing what it would deliver. */
  readonly unblock: () => Promise<void>;
  /** Cancels all open calls. */
  readonly close: () => void;
};

export type Group = GroupDuties & {
  /** Makes missing groups; null where there is one now. */
  readonly ensure: EnsureGroups;
  readonly isMissing: (failure: Failure) => boolean;
} & Pick<ReaderOptions, 'prove' | 'guardOf' | 'isOfOneStream'>;

export type WorkerSettings = {
  /** Consumers, each with a batch in flight. */
  readonly readers: number;
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

const REFRESH_MS = 5000;
const FIRST_STREAMS_RETRY_MS = 250;
/** How long an entry that was handed over waits for a worker that reads it, where there is one. */
const HANDED_OVER_EVERY_MS = 1000;
const DEAD_CONSUMER_IDLE_MS = 3_600_000;
const DEAD_CONSUMERS_EVERY_MS = 600_000;

type Parts = {
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

const streamsOf = ({ streams }: Parts): StreamKeys[] => [...streams.values()];

/** Works until the signal; resolves when nothing is held any more. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const parts = assemble(options);
  const { stop, inFlight } = parts;
  const drained = new AbortController();
  const beats = runMaintenance([heartbeat(parts)], drained.signal, options.log);
  try {
    await addStreams(parts, true);
    const work = [
      ...Array.from({ length: options.settings.readers }, (_, n) => startReader(parts, n + 1)),
      runMaintenance(dutiesOf(parts), stop.signal, options.log),
      endReads(parts),
    ];
    await Promise.all(work.map((part) => part.catch((error: unknown) => fail(parts, error))));
    await inFlight.drained();
  } finally {
    drained.abort();
    await beats;
  }
  await removeConsumers(parts);
}

function assemble(options: WorkerOptions): Parts {
  const { settings, metrics, log, random, nowMs, steps } = options;
  const stop = new AbortController();
  const { signal } = stop;
  if (options.signal.aborted) stop.abort();
  options.signal.addEventListener('abort', () => stop.abort(), { once: true });
  const pause = createPause({ signal, metrics, log, random });
  const inFlight = createInFlight({ signal, nowMs });
  const { batchTransactions, readers: batchesMax } = settings;
  return {
    options,
    streams: new Map(),
    inFlight,
    intake: createIntake({ batchTransactions, batchesMax, inFlight, pause, signal }),
    pause,
    runUnit: createRunUnit({ steps, pause, signal, log, onTry: options.onSignOfLife }),
    stop,
  };
}

/** A bug: everything else is stopped, then the error is rethrown. */
function fail({ stop }: Parts, error: unknown): never {
  stop.abort();
  throw toError(error);
}

async function startReader(parts: Parts, number: number): Promise<void> {
  const { options, inFlight, intake, runUnit, stop } = parts;
  const { connection, group, settings, log } = options;
  await runReader({
    consumer: `${options.name}-${number}`,
    connection,
    ensureGroups: group.ensure,
    isGroupMissing: group.isMissing,
    ...{ prove: group.prove, guardOf: group.guardOf, isOfOneStream: group.isOfOneStream },
    streams: () => streamsOf(parts),
    intake,
    inFlight,
    runUnit,
    signal: stop.signal,
    log,
    batchTransactions: settings.batchTransactions,
    blockMs: settings.blockMs,
    onPoll: () => {
      options.onSignOfLife();
      options.metrics.lastPoll.setToCurrentTime();
    },
  });
}

/** Ends blocking reads once the worker stops; a connection that cannot even be unblocked is closed. */
async function endReads({ options, stop }: Parts): Promise<void> {
  await new Promise<void>((resolve) => {
    if (stop.signal.aborted) resolve();
    stop.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await options.connection.unblock().catch(() => options.connection.close());
}

function dutiesOf(parts: Parts): Duty[] {
  const { options, inFlight, runUnit, pause } = parts;
  const { group, settings, metrics, log, steps } = options;
  const streams = () => streamsOf(parts);
  const reclaim = createReclaim({
    consumer: `${options.name}-0`,
    streams,
    ...{ claim: group.claim, findHandedOver: group.findHandedOver, prove: group.prove },
    ...{ guardOf: group.guardOf, isOfOneStream: group.isOfOneStream },
    ensureGroups: group.ensure,
    isGroupMissing: group.isMissing,
    inFlight,
    batchesMax: settings.readers,
    runUnit,
    divide: steps.divide,
    metrics,
    log,
    idleMs: settings.claimIdleMs,
  });
  return [
    { name: 'streams', everyMs: REFRESH_MS, run: () => addStreams(parts, false) },
    {
      name: 'reclaim',
      everyMs: Math.ceil(settings.claimIdleMs / 3),
      async run(signal) {
        await pause.over();
        await reclaim.stale(signal);
      },
    },
    {
      name: 'handed-over',
      everyMs: HANDED_OVER_EVERY_MS,
      async run(signal) {
        await pause.over();
        await reclaim.handedOver(signal);
      },
    },
    {
      name: 'dead-consumers',
      everyMs: DEAD_CONSUMERS_EVERY_MS,
      async run() {
        await ofEach(streams(), ({ transactions }) =>
          group.removeDeadConsumers(transactions, DEAD_CONSUMER_IDLE_MS),
        );
      },
    },
    ...options.duties(streams),
  ];
}

/** Entries of batches that take long are kept from being claimed by others. */
function heartbeat({ options, inFlight }: Parts): Duty {
  const everyMs = Math.ceil(options.settings.claimIdleMs / 3);
  return {
    name: 'heartbeat',
    everyMs,
    async run() {
      await ofEach(inFlight.olderThan(everyMs), ({ stream, consumer, ids }) =>
        options.group.heartbeat(stream, consumer, ids),
      );
    },
  };
}

/** Adds streams that appeared. The first time it insists, as there is nothing to do without them. */
async function addStreams(parts: Parts, insist: boolean): Promise<void> {
  const { options, streams } = parts;
  const { signal } = parts.stop;
  for (;;) {
    try {
      const listed = await options.listStreams();
      const fresh = listed.filter((one) => !streams.has(one.transactions));
      const failures = await options.group.ensure(fresh.map((stream) => stream.transactions));
      for (const [index, stream] of fresh.entries()) {
        if (failures[index] === null) streams.set(stream.transactions, stream);
      }
      // A stream that cannot be made ready now is tried again at the next refresh.
      const failed = failures.find((failure) => failure !== null);
      if (failed !== undefined && streams.size === 0) throw failed;
      return;
    } catch (error) {
      if (signal.aborted) return;
      if (!insist) throw error;
      options.log.warn({ err: toError(error).message }, 'waiting for the streams');
      options.onSignOfLife();
      await sleep(FIRST_STREAMS_RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
    if (signal.aborted) return;
  }
}

/** Our consumers are removed, except where they still have pending entries for others to claim. */
async function removeConsumers(parts: Parts): Promise<void> {
  const { options } = parts;
  const streams = streamsOf(parts).map(({ transactions }) => transactions);
  const removals = Array.from({ length: options.settings.readers + 1 }, (_, n) =>
    options.group.removeConsumer(streams, `${options.name}-${n}`),
  );
  for (const result of await Promise.allSettled(removals)) {
    if (result.status === 'rejected') {
      options.log.warn({ err: toError(result.reason).message }, 'consumer stays');
    }
  }
}
