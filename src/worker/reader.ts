/**
 * One reader: a consumer of the group that takes a batch when it is its turn, brings it to its end, and comes again. As
 * many batches are in flight as there are readers. After any error it first drains what the server may have
 * delivered into a reply that never arrived.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import type { Guard } from '../runtime/breaker.ts';
import type { Log } from '../runtime/log.ts';
import type { Delivery, Read, ReadOptions, StreamEntry } from '../stream/group/read-group.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { Prove } from '../stream/settle/settle.ts';
import type { InFlight } from './in-flight.ts';
import type { HeldBatch, Intake } from './intake.ts';
import type { RunUnit } from './run-unit.ts';
import type { Left } from './settle-batch.ts';

export type ReaderConnection = {
  readonly readNew: (options: ReadOptions & { readonly blockMs: number }) => Promise<Read>;
  readonly readOwn: (options: ReadOptions, after: string) => Promise<Read>;
};

export type EnsureGroups = (streams: readonly string[]) => Promise<(Failure | null)[]>;

export type ReaderOptions = {
  readonly consumer: string;
  readonly connection: ReaderConnection;
  readonly ensureGroups: EnsureGroups;
  readonly isGroupMissing: (failure: Failure) => boolean;
  /** Throws where entries of a stream could not be settled now. */
  readonly prove: Prove;
  /** Around reads of one corridor alone: its breaker. */
  readonly guardOf: (corridor: string) => Guard;
  /** Whether a read failed because of one stream, or its breaker is open; the others go on. */
  readonly isOfOneStream: (failure: Failure) => boolean;
  readonly streams: () => readonly StreamKeys[];
  readonly intake: Intake;
  readonly inFlight: Pick<InFlight, 'idsOf'>;
  readonly runUnit: RunUnit;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Transactions of a read. */
  readonly batchTransactions: number;
  readonly blockMs: number;
  /** A read came back, with or without entries. */
  readonly onPoll: () => void;
};

const ERROR_WAIT_MS = 100;

/** Reads until the signal; resolves when everything it read is settled. */
export async function runReader(options: ReaderOptions): Promise<void> {
  const { consumer, intake, signal, onPoll } = options;
  /** Streams from which entries may have been delivered to us without our knowing. */
  const undrained = new Set<string>();
  while (!signal.aborted) {
    const batches = await intake.next(consumer, async () => {
      const deliveries = await readNext(options, undrained);
      onPoll();
      return deliveries;
    });
    // Nearly always one.
    const left = await Promise.all(batches.map((batch) => runHeld(options, batch)));
    for (const stream of left.flatMap((one) => [...one.keys()])) undrained.add(stream);
  }
}

async function runHeld({ runUnit }: ReaderOptions, { held, letGo }: HeldBatch): Promise<Left> {
  try {
    return await runUnit(held);
  } finally {
    letGo();
  }
}

/**
 * After an error each stream is looked at alone, behind the breaker of its corridor, until it was read
 * without one.
 */
async function readNext(
  options: ReaderOptions,
  undrained: Set<string>,
): Promise<readonly Delivery[]> {
  const { connection, consumer, blockMs, batchTransactions } = options;
  const streams = options.intake.inTurn(options.streams());
  const barred = new Set<string>();
  try {
    for (const stream of streams) {
      if (!undrained.has(stream.transactions)) continue;
      const own = await readAlone(options, stream);
      if (own === null) barred.add(stream.transactions);
      else if (own.length > 0) return [{ stream, entries: own, held: 0 }];
      else undrained.delete(stream.transactions);
    }
    const left = streams.filter(({ transactions }) => !barred.has(transactions));
    if (left.length === 0) return await waitAfterError(options);
    const shares = options.intake.sharesOf(left);
    const read = await connection.readNew({
      ...{ consumer, streams: left, shares, blockMs },
      transactionsMax: batchTransactions,
    });
    if (read.failed.size > 0) await noteFailed(options, undrained, read);
    return read.deliveries;
  } catch (error) {
    const names = streams.map(({ transactions }) => transactions);
    for (const name of names) undrained.add(name);
    if (options.signal.aborted) return [];
    if (!(error instanceof Failure)) throw error;
    await recover(options, names, error);
    return await waitAfterError(options);
  }
}

/** Entries that are still pending for this consumer; null when the corridor itself fails. */
async function readAlone(
  options: ReaderOptions,
  stream: StreamKeys,
): Promise<StreamEntry[] | null> {
  const { guardOf, isOfOneStream, prove } = options;
  try {
    return await guardOf(stream.corridor)(async () => {
      await prove(stream);
      return await drainOwn(options, stream);
    });
  } catch (error) {
    if (error instanceof Failure && isOfOneStream(error)) return null;
    throw error;
  }
}

/** The first page of our own pending entries that nobody in this process holds. */
async function drainOwn(
  { connection, consumer, inFlight, batchTransactions }: ReaderOptions,
  stream: StreamKeys,
): Promise<StreamEntry[]> {
  const read = {
    ...{ consumer, streams: [stream], shares: [batchTransactions] },
    transactionsMax: batchTransactions,
  };
  const held = inFlight.idsOf(stream.transactions);
  let after = '0';
  for (;;) {
    const { deliveries, failed } = await connection.readOwn(read, after);
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
  options: ReaderOptions,
  undrained: Set<string>,
  { deliveries, failed }: Read,
): Promise<void> {
  for (const [{ transactions }, failure] of failed) {
    undrained.add(transactions);
    await recover(options, [transactions], failure);
  }
  if (deliveries.length === 0) await waitAfterError(options);
}

async function recover(
  { ensureGroups, isGroupMissing, log }: ReaderOptions,
  streams: readonly string[],
  error: Failure,
): Promise<void> {
  log.warn({ code: error.code, err: error.message }, 'read failed');
  if (!isGroupMissing(error)) return;
  const failure = (await ensureGroups(streams)).find((one) => one !== null);
  if (failure !== undefined) log.warn({ err: failure?.message }, 'group cannot be made');
}

async function waitAfterError({ signal }: Pick<ReaderOptions, 'signal'>): Promise<never[]> {
  await sleep(ERROR_WAIT_MS, undefined, { signal }).catch(() => undefined);
  return [];
}
