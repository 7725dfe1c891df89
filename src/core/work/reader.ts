/**
 * One reader: a consumer of the group that takes a batch when it is its turn, brings it to its end, and comes again. As
 * many batches are in flight as there are readers. After any error it first drains what the server may have
 * delivered into a reply that never arrived.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../../kit/words/failure.ts';
import { isGroupMissing } from '../stream/group/consumer-group.ts';
import type { Delivery, Read, StreamEntry } from '../stream/group/read-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import { runHeld } from './isolate-failures.ts';
import type { WorkerOptions, WorkerParts } from './worker-parts.ts';

const ERROR_WAIT_MS = 100;

/** Reads until the worker stops; resolves when everything it read is settled. */
export async function runReader(parts: WorkerParts, consumer: string): Promise<void> {
  const { options, intake, runUnit, stop } = parts;
  /** Streams from which entries may have been delivered to us without our knowing. */
  const undrained = new Set<string>();
  while (!stop.signal.aborted) {
    const batches = await intake.next(consumer, async () => {
      const deliveries = await readNext(parts, consumer, undrained);
      options.onSignOfLife();
      options.metrics.lastPoll.setToCurrentTime();
      return deliveries;
    });
    // Nearly always one.
    const left = await Promise.all(batches.map((batch) => runHeld(runUnit, batch)));
    for (const stream of left.flatMap((one) => [...one])) undrained.add(stream);
  }
}

/**
 * After an error each stream is looked at alone, behind the breaker of its corridor, until it was read
 * without one.
 */
async function readNext(
  parts: WorkerParts,
  consumer: string,
  undrained: Set<string>,
): Promise<readonly Delivery[]> {
  const { options, intake, stop } = parts;
  const { blockMs, batchTransactions } = options.settings;
  const streams = intake.inTurn([...parts.streams.values()]);
  const barred = new Set<string>();
  try {
    for (const stream of streams) {
      if (!undrained.has(stream.transactions)) continue;
      const own = await readAlone(parts, consumer, stream);
      if (own === null) barred.add(stream.transactions);
      else if (own.length > 0) return [{ stream, entries: own, held: 0 }];
      else undrained.delete(stream.transactions);
    }
    const left = streams.filter(({ transactions }) => !barred.has(transactions));
    if (left.length === 0) return await waitAfterError(stop.signal);
    const shares = intake.sharesOf(left);
    const read = await options.connection.readNew({
      ...{ consumer, streams: left, shares, blockMs },
      transactionsMax: batchTransactions,
    });
    if (read.failed.size > 0) await noteFailed(parts, undrained, read);
    return read.deliveries;
  } catch (error) {
    const names = streams.map(({ transactions }) => transactions);
    for (const name of names) undrained.add(name);
    if (stop.signal.aborted) return [];
    if (!(error instanceof Failure)) throw error;
    await recover(options, names, error);
    return await waitAfterError(stop.signal);
  }
}

/** Entries that are still pending for this consumer; null when the corridor itself fails. */
async function readAlone(
  parts: WorkerParts,
  consumer: string,
  stream: StreamKeys,
): Promise<StreamEntry[] | null> {
  const { guardOf, isOfOneStream, prove } = parts.options.group;
  try {
    return await guardOf(stream.corridor)(async () => {
      await prove(stream);
      return await drainOwn(parts, consumer, stream);
    });
  } catch (error) {
    if (error instanceof Failure && isOfOneStream(error)) return null;
    throw error;
  }
}

/** The first page of our own pending entries that nobody in this process holds. */
async function drainOwn(
  { options, inFlight }: WorkerParts,
  consumer: string,
  stream: StreamKeys,
): Promise<StreamEntry[]> {
  const { batchTransactions } = options.settings;
  const read = {
    ...{ consumer, streams: [stream], shares: [batchTransactions] },
    transactionsMax: batchTransactions,
  };
  const held = inFlight.idsOf(stream.transactions);
  let after = '0';
  for (;;) {
    const { deliveries, failed } = await options.connection.readOwn(read, after);
    const failure = failed.get(stream);
    if (failure !== undefined) throw failure;
    const entries = deliveries[0]?.entries ?? [];
    const last = entries.at(-1);
    if (last === undefined) return [];
    const ours = entries.filter(({ id }) => !held.has(id));
    if (ours.length > 0) return ours;
    after = last.id;
  }
}

/** Streams that could not be read beside others that could. */
async function noteFailed(
  { options, stop }: WorkerParts,
  undrained: Set<string>,
  { deliveries, failed }: Read,
): Promise<void> {
  for (const [{ transactions }, failure] of failed) {
    undrained.add(transactions);
    await recover(options, [transactions], failure);
  }
  if (deliveries.length === 0) await waitAfterError(stop.signal);
}

async function recover(
  { group, log }: WorkerOptions,
  streams: readonly string[],
  error: Failure,
): Promise<void> {
  log.warn({ code: error.code, err: error.message }, 'read failed');
  if (!isGroupMissing(error)) return;
  const failure = (await group.ensure(streams)).find((one) => one !== null);
  if (failure !== undefined) log.warn({ err: failure?.message }, 'group cannot be made');
}

async function waitAfterError(signal: AbortSignal): Promise<never[]> {
  await sleep(ERROR_WAIT_MS, undefined, { signal }).catch(() => undefined);
  return [];
}
