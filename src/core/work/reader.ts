/**
 * A reader: a consumer of the group that takes a batch when it is its turn, brings the batch to its end, and comes again.
 * After any error a reader first drains what the server may have delivered into a reply that never arrived. Entries of another
 * version are left as they are, for workers that read them to claim.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { BREAKER_OPEN } from '../../kit/breakers/breaker.ts';
import { isStreamAtFault } from '../../kit/redis/outage.ts';
import { Failure } from '../../kit/words/failure.ts';
import { isUnread } from '../stream/entries/entry.ts';
import { ensureGroups, isGroupMissing } from '../stream/group/consumer-group.ts';
import type { Delivery, Read, StreamEntry } from '../stream/group/read-group.ts';
import { type StreamKeys, shardLabel } from '../stream/keys.ts';
import { prove } from '../stream/settle/settle.ts';
import { runBatch } from './run-batch.ts';
import type { Worker } from './worker.ts';

const ERROR_WAIT_MS = 100;

/** Reads until the worker stops; resolves when everything it read is settled. */
export async function runReader(worker: Worker, consumer: string): Promise<void> {
  const { intake, stop, lane, elapsedMs, streams } = worker;
  /** Streams from which entries may have been delivered to us without our knowing. */
  const undrained = new Set<string>();
  while (!stop.signal.aborted) {
    await lane.ready(() => [...streams.values()]);
    const batches = await intake.next(async () => {
      const deliveries = await readNext(worker, consumer, undrained);
      worker.onSignOfLife();
      return deliveries;
    });
    lane.noteBegun(batches);
    const beganMs = elapsedMs();
    // Nearly always one.
    const unsettled = await Promise.all(batches.map((batch) => runBatch(worker, batch)));
    lane.noteWorked(batches, elapsedMs() - beganMs);
    for (const stream of unsettled.flatMap((streams) => [...streams])) undrained.add(stream);
  }
}

/** Whether a call failed because of one stream, or its breaker is open; the others go on. */
export function isOfOneStream(failure: Failure): boolean {
  return isStreamAtFault(failure) || failure.code === BREAKER_OPEN;
}

/** After an error each stream is looked at alone, behind the breaker of its corridor, until it was read without one. */
async function readNext(
  worker: Worker,
  consumer: string,
  undrained: Set<string>,
): Promise<readonly Delivery[]> {
  const { config, intake, lane, stop } = worker;
  const going = [...worker.streams.values()].filter(({ corridor }) => !worker.isStopped(corridor));
  const streams = intake.inTurn(going);
  const barred = new Set<string>();
  const noteAnswered = () => worker.metrics.lastPoll.setToCurrentTime();
  try {
    for (const stream of streams) {
      if (!undrained.has(stream.transactions)) continue;
      const own = await readAlone(worker, consumer, stream);
      if (own === null) {
        barred.add(stream.transactions);
        continue;
      }
      noteAnswered();
      if (own.length > 0) return [{ stream, entries: own, total: 0 }];
      undrained.delete(stream.transactions);
    }
    const open = lane.choose(streams.filter(({ transactions }) => !barred.has(transactions)));
    if (open.length === 0) {
      // Where people have stopped all streams, nothing is missed.
      if (barred.size === 0) noteAnswered();
      return await waitAfterError(stop.signal);
    }
    const read = await worker.reader.readNew({
      consumer,
      streams: open,
      shares: intake.sharesOf(open),
      blockMs: config.RISK_READ_BLOCK_MS,
      isQuiet: intake.isQuiet(),
      transactionsMax: lane.transactionsMax(),
    });
    if (read.failed.size < open.length) noteAnswered();
    if (read.failed.size > 0) await noteFailed(worker, undrained, read);
    return leaveUnread(worker, read.deliveries);
  } catch (error) {
    const names = streams.map(({ transactions }) => transactions);
    for (const name of names) undrained.add(name);
    if (stop.signal.aborted) return [];
    if (!(error instanceof Failure)) throw error;
    await recover(worker, names, error);
    return await waitAfterError(stop.signal);
  }
}

function leaveUnread(worker: Worker, deliveries: readonly Delivery[]): readonly Delivery[] {
  const { version } = worker.entries;
  if (!deliveries.some(({ entries }) => entries.some((entry) => isUnread(entry, version)))) {
    return deliveries;
  }
  return deliveries.map(({ stream, entries, total }) => {
    const read = entries.filter((entry) => !isUnread(entry, version));
    worker.metrics.unreadEntries.inc({ corridor: stream.corridor }, entries.length - read.length);
    return { stream, entries: read, total };
  });
}

/** Entries that are still pending for this consumer; null when the corridor itself fails. */
async function readAlone(
  worker: Worker,
  consumer: string,
  stream: StreamKeys,
): Promise<StreamEntry[] | null> {
  const { guards, redis } = worker.market;
  try {
    return await guards.streamsOf(stream.corridor, shardLabel(stream.shard)).run(async () => {
      await prove(redis, stream);
      return await drainOwn(worker, consumer, stream);
    });
  } catch (error) {
    if (error instanceof Failure && isOfOneStream(error)) return null;
    throw error;
  }
}

/** The first page of our own pending entries that are not in flight. */
async function drainOwn(
  { config, inFlight, reader, entries: { version } }: Worker,
  consumer: string,
  stream: StreamKeys,
): Promise<StreamEntry[]> {
  const { RISK_BATCH_ENTRIES: transactionsMax } = config;
  const options = { consumer, streams: [stream], shares: [transactionsMax], transactionsMax };
  const busy = inFlight.idsOf(stream.transactions);
  let after = '0';
  for (;;) {
    const { deliveries, failed } = await reader.readOwn(options, after);
    const failure = failed.get(stream);
    if (failure !== undefined) throw failure;
    const entries = deliveries[0]?.entries ?? [];
    const last = entries.at(-1);
    if (last === undefined) return [];
    const idle = entries.filter((entry) => !busy.has(entry.id) && !isUnread(entry, version));
    if (idle.length > 0) return idle;
    after = last.id;
  }
}

/** Streams that could not be read beside others that could. */
async function noteFailed(
  worker: Worker,
  undrained: Set<string>,
  { deliveries, failed }: Read,
): Promise<void> {
  for (const [{ transactions }, failure] of failed) {
    undrained.add(transactions);
    await recover(worker, [transactions], failure);
  }
  if (deliveries.length === 0) await waitAfterError(worker.stop.signal);
}

async function recover(
  { market, log }: Worker,
  streams: readonly string[],
  error: Failure,
): Promise<void> {
  log.warn({ code: error.code, err: error.message }, 'read failed');
  if (!isGroupMissing(error)) return;
  const [failure] = (await ensureGroups(market.redis, streams)).flatMap((made) => made ?? []);
  if (failure !== undefined) log.warn({ err: failure.message }, 'group cannot be made');
}

async function waitAfterError(signal: AbortSignal): Promise<never[]> {
  await sleep(ERROR_WAIT_MS, undefined, { signal }).catch(() => undefined);
  return [];
}
