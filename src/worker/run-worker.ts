/**
 * The worker: readers that rotate over the streams, timed duties around them, and an orderly end. It
 * knows no adapter; src/worker.ts hands them in.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Failure, toError } from '../domain/failure.ts';
import type { Log } from '../runtime/log.ts';
import type { Metrics } from '../runtime/metrics.ts';
import type { GroupDuties } from '../stream/consumer-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { WorkerList } from '../stream/worker-list.ts';
import { createInFlight, type InFlight } from './in-flight.ts';
import { type Duty, ofEach, runMaintenance } from './maintenance.ts';
import { ownStreams } from './own-streams.ts';
import { createPause, type Pause } from './pause.ts';
import type { BatchSteps } from './process-batch.ts';
import {
  type EnsureGroups,
  type ReaderConnection,
  type ReaderOptions,
  runReader,
} from './reader.ts';
import { createReclaim } from './reclaim.ts';
import { createRotation, type Rotation } from './rotation.ts';
import { createRunUnit, type RunUnit } from './run-unit.ts';

/** A reader's own connection. */
export type OwnConnection = ReaderConnection & {
  /** Ends a blocking read early, without losing what it would deliver. */
  readonly unblock: () => Promise<void>;
  /** Gives up whatever is still asked for. */
  readonly close: () => void;
};

export type Group = GroupDuties & {
  /** Makes missing groups; null where there is one now. */
  readonly ensure: EnsureGroups;
  readonly isMissing: (failure: Failure) => boolean;
} & Pick<ReaderOptions, 'prove' | 'guardOf' | 'isOfOneStream'>;

export type WorkerSettings = {
  readonly batchEntries: number;
  readonly blockMs: number;
  readonly claimIdleMs: number;
};

export type WorkerOptions = {
  /** Unique for this start of this process; consumers are numbered under it. */
  readonly name: string;
  readonly readers: readonly OwnConnection[];
  readonly group: Group;
  readonly steps: BatchSteps;
  /** Streams as they should be now: corridors times shards. */
  readonly listStreams: () => Promise<StreamKeys[]>;
  /** Who else is alive; without it every stream is read as our own. */
  readonly workers?: WorkerList;
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
const ANNOUNCE_MS = 1000;
const FIRST_STREAMS_RETRY_MS = 250;
/**
 * Batches that a worker holds: one is folded while others are read and written. More would only make
 * entries grow old in memory, where the collector has to carry them along.
 */
const BATCHES_IN_FLIGHT = 2;
const DEAD_CONSUMER_IDLE_MS = 3_600_000;
const DEAD_CONSUMERS_EVERY_MS = 600_000;

type Parts = {
  readonly options: WorkerOptions;
  readonly rotation: Rotation;
  readonly inFlight: InFlight;
  readonly pause: Pause;
  readonly runUnit: RunUnit;
  readonly inFlightMax: number;
  /** The caller's signal, or a bug in a reader. */
  readonly stop: AbortController;
  /** As last listed, also those without a group yet: all workers deal out the same. */
  listed: readonly StreamKeys[];
};

/** Works until the signal; resolves when nothing is held any more. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const parts = assemble(options);
  const { stop, inFlight } = parts;
  const drained = new AbortController();
  const beats = runMaintenance([heartbeat(parts)], drained.signal, options.log);
  try {
    await addStreams(parts, true);
    const work = [
      ...options.readers.map((connection, index) => startReader(parts, connection, index + 1)),
      runMaintenance(dutiesOf(parts), stop.signal, options.log),
      endReads(parts),
    ];
    await Promise.all(work.map((part) => part.catch((error: unknown) => fail(parts, error))));
    await inFlight.drained();
  } finally {
    drained.abort();
    await beats;
  }
  await leaveList(parts);
  await removeConsumers(parts);
}

function assemble(options: WorkerOptions): Parts {
  const { settings, metrics, log, random, nowMs, steps } = options;
  const stop = new AbortController();
  const { signal } = stop;
  if (options.signal.aborted) stop.abort();
  options.signal.addEventListener('abort', () => stop.abort(), { once: true });
  const inFlightMax = settings.batchEntries * BATCHES_IN_FLIGHT;
  const pause = createPause({ signal, metrics, log, random });
  return {
    options,
    rotation: createRotation(signal, nowMs),
    inFlight: createInFlight({ entriesMax: inFlightMax, signal, nowMs }),
    pause,
    runUnit: createRunUnit({ steps, pause, signal, log, onTry: options.onSignOfLife }),
    inFlightMax,
    stop,
    listed: [],
  };
}

/** A bug: everything else is told to stop, then it is thrown on. */
function fail({ stop }: Parts, error: unknown): never {
  stop.abort();
  throw toError(error);
}

async function startReader(
  { options, rotation, inFlight, pause, runUnit, inFlightMax, stop }: Parts,
  connection: OwnConnection,
  number: number,
): Promise<void> {
  const { group, settings, log } = options;
  await runReader({
    consumer: `${options.name}-${number}`,
    connection,
    ensureGroups: group.ensure,
    isGroupMissing: group.isMissing,
    ...{ prove: group.prove, guardOf: group.guardOf, isOfOneStream: group.isOfOneStream },
    rotation,
    inFlight,
    pause,
    runUnit,
    signal: stop.signal,
    log,
    batchEntries: settings.batchEntries,
    inFlightMax,
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
  await Promise.all(options.readers.map((reader) => reader.unblock().catch(() => reader.close())));
}

function dutiesOf(parts: Parts): Duty[] {
  const { options, rotation, inFlight, runUnit, pause } = parts;
  const { group, settings, metrics, log } = options;
  const reclaim = createReclaim({
    consumer: `${options.name}-0`,
    streams: rotation.streams,
    ...{ claim: group.claim, prove: group.prove },
    ...{ guardOf: group.guardOf, isOfOneStream: group.isOfOneStream },
    ensureGroups: group.ensure,
    isGroupMissing: group.isMissing,
    inFlight,
    runUnit,
    metrics,
    log,
    idleMs: settings.claimIdleMs,
  });
  return [
    { name: 'streams', everyMs: REFRESH_MS, run: () => addStreams(parts, false) },
    { name: 'own-streams', everyMs: ANNOUNCE_MS, run: () => chooseStreams(parts) },
    {
      name: 'reclaim',
      everyMs: Math.ceil(settings.claimIdleMs / 3),
      async run(signal) {
        await pause.over();
        await reclaim(signal);
      },
    },
    {
      name: 'dead-consumers',
      everyMs: DEAD_CONSUMERS_EVERY_MS,
      async run() {
        await ofEach(rotation.streams(), ({ transactions }) =>
          group.removeDeadConsumers(transactions, DEAD_CONSUMER_IDLE_MS),
        );
      },
    },
    ...options.duties(rotation.streams),
  ];
}

async function chooseStreams({ options, rotation, listed }: Parts): Promise<void> {
  if (options.workers === undefined) return;
  const workers = await options.workers.announce();
  rotation.own(ownStreams(listed, workers, options.name));
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
  const { options, rotation } = parts;
  const { signal } = parts.stop;
  for (;;) {
    try {
      const known = new Set(rotation.streams().map(({ transactions }) => transactions));
      parts.listed = await options.listStreams();
      const fresh = parts.listed.filter((one) => !known.has(one.transactions));
      const failures = await options.group.ensure(fresh.map((stream) => stream.transactions));
      for (const [index, stream] of fresh.entries()) {
        if (failures[index] === null) rotation.add(stream);
      }
      // A stream that cannot be made ready now is tried again at the next refresh.
      const failed = failures.find((failure) => failure !== null);
      if (failed !== undefined && rotation.streams().length === 0) throw failed;
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

/** The others take over our streams at once, not when we have been silent. */
async function leaveList({ options }: Parts): Promise<void> {
  await options.workers?.leave().catch((error: unknown) => {
    options.log.warn({ err: toError(error).message }, 'stays on the list of workers');
  });
}

/** Our consumers go, except where they still have something pending for others to claim. */
async function removeConsumers({ options, rotation }: Parts): Promise<void> {
  const streams = rotation.streams().map(({ transactions }) => transactions);
  const removals = Array.from({ length: options.readers.length + 1 }, (_, n) =>
    options.group.removeConsumer(streams, `${options.name}-${n}`),
  );
  for (const result of await Promise.allSettled(removals)) {
    if (result.status === 'rejected') {
      options.log.warn({ err: toError(result.reason).message }, 'consumer stays');
    }
  }
}
