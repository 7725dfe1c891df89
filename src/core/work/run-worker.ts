/**
 * The worker: readers that take turns at the streams, timed duties around them, and an orderly end. It
 * knows no adapter; src/main/worker.ts passes them.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Duty, ofEach, runMaintenance } from '../../kit/duties/run-duties.ts';
import { toError } from '../../kit/words/failure.ts';
import type { StreamKeys } from '../stream/keys.ts';
import { createInFlight } from './in-flight.ts';
import { createIntake } from './intake.ts';
import { createRunUnit } from './isolate-failures.ts';
import { createPause } from './pause.ts';
import { runReader } from './reader.ts';
import { createReclaim } from './reclaim.ts';
import type { WorkerOptions, WorkerParts } from './worker-parts.ts';

const REFRESH_MS = 5000;
const FIRST_STREAMS_RETRY_MS = 250;
const DEAD_CONSUMER_IDLE_MS = 3_600_000;
const DEAD_CONSUMERS_EVERY_MS = 600_000;

const streamsOf = ({ streams }: WorkerParts): StreamKeys[] => [...streams.values()];

/** Works until the signal; resolves when nothing is held any more. */
export async function runWorker(options: WorkerOptions): Promise<void> {
  const parts = assemble(options);
  const { stop, inFlight } = parts;
  const drained = new AbortController();
  const beats = runMaintenance([heartbeat(parts)], drained.signal, options.log);
  try {
    await insistOnStreams(parts);
    const work = [
      ...Array.from({ length: options.settings.readers }, (_, n) =>
        runReader(parts, `${options.name}-${n + 1}`),
      ),
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

function assemble(options: WorkerOptions): WorkerParts {
  const { settings, metrics, log, random, nowMs, steps } = options;
  const stop = new AbortController();
  const { signal } = stop;
  if (options.signal.aborted) stop.abort();
  options.signal.addEventListener('abort', () => stop.abort(), { once: true });
  const pause = createPause(signal, metrics, log, random);
  const inFlight = createInFlight(signal, nowMs);
  return {
    options,
    streams: new Map(),
    inFlight,
    intake: createIntake(settings, inFlight, pause, signal),
    pause,
    runUnit: createRunUnit(steps, pause, signal, log, options.onSignOfLife),
    stop,
  };
}

/** A bug: everything else is stopped, then the error is rethrown. */
function fail({ stop }: WorkerParts, error: unknown): never {
  stop.abort();
  throw toError(error);
}

/** Ends blocking reads once the worker stops; a connection that cannot even be unblocked is closed. */
async function endReads({ options, stop }: WorkerParts): Promise<void> {
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  await options.connection.unblock().catch(() => options.connection.close());
}

function dutiesOf(parts: WorkerParts): Duty[] {
  const { group, duties } = parts.options;
  return [
    { name: 'streams', everyMs: REFRESH_MS, run: () => addStreams(parts) },
    ...createReclaim(parts),
    {
      name: 'dead-consumers',
      everyMs: DEAD_CONSUMERS_EVERY_MS,
      async run() {
        await ofEach(streamsOf(parts), ({ transactions }) =>
          group.removeDeadConsumers(transactions, DEAD_CONSUMER_IDLE_MS),
        );
      },
    },
    ...duties(() => streamsOf(parts)),
  ];
}

/** Entries of batches that take long are kept from being claimed by others. */
function heartbeat({ options, inFlight }: WorkerParts): Duty {
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

/** Adds streams that appeared. One that cannot be made ready now is tried again at the next refresh. */
async function addStreams({ options, streams }: WorkerParts): Promise<void> {
  const listed = await options.listStreams();
  const fresh = listed.filter((one) => !streams.has(one.transactions));
  const failures = await options.group.ensure(fresh.map((stream) => stream.transactions));
  for (const [index, stream] of fresh.entries()) {
    if (failures[index] === null) streams.set(stream.transactions, stream);
  }
  const failed = failures.find((failure) => failure !== null);
  if (failed !== undefined && streams.size === 0) throw failed;
}

/** The first time, as there is nothing to do without streams. */
async function insistOnStreams(parts: WorkerParts): Promise<void> {
  const { log, onSignOfLife } = parts.options;
  const { signal } = parts.stop;
  while (!signal.aborted) {
    try {
      return await addStreams(parts);
    } catch (error) {
      if (signal.aborted) return;
      log.warn({ err: toError(error).message }, 'waiting for the streams');
      onSignOfLife();
      await sleep(FIRST_STREAMS_RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** Our consumers are removed, except where they still have pending entries for others to claim. */
async function removeConsumers(parts: WorkerParts): Promise<void> {
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
