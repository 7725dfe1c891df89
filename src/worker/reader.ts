/**
 * One reader: a consumer of the group with a connection of its own. It takes the free streams, reads,
 * hands units to be processed, and reads again once they are done. After any error it first drains what
 * the server may have delivered into a reply that never arrived.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Failure } from '../domain/failure.ts';
import type { Guard } from '../runtime/breaker.ts';
import type { Log } from '../runtime/log.ts';
import type { StreamKeys } from '../stream/keys.ts';
import type { Delivery, ReadOptions, StreamEntry } from '../stream/read-group.ts';
import type { Prove } from '../stream/settle.ts';
import type { InFlight } from './in-flight.ts';
import type { HeldEntry } from './item.ts';
import type { Pause } from './pause.ts';
import type { Rotation } from './rotation.ts';
import type { RunUnit } from './run-unit.ts';
import type { Left } from './settle-batch.ts';
import { shareBatch } from './share-batch.ts';

export type ReaderConnection = {
  readonly readNew: (options: ReadOptions) => Promise<Delivery[]>;
  readonly readOwn: (options: ReadOptions, after: string) => Promise<Delivery[]>;
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
  readonly rotation: Rotation;
  readonly inFlight: InFlight;
  readonly pause: Pause;
  readonly runUnit: RunUnit;
  readonly signal: AbortSignal;
  readonly log: Log;
  /** Largest unit, and largest read of one stream. */
  readonly batchEntries: number;
  readonly inFlightMax: number;
  readonly blockMs: number;
  /** A read came back, with or without entries. */
  readonly onPoll: () => void;
};

const ERROR_WAIT_MS = 100;
/** Of another worker's streams: the least there is, as 0 would be for ever. */
const LOOK_BLOCK_MS = 1;

/** How long streams that had nothing wait for a fold: about as long as one takes. A corridor waits for no other. */
const REST_HELD_MS = 10;

/** Reads until the signal; resolves when everything it read is settled. */
export async function runReader(options: ReaderOptions): Promise<void> {
  const { rotation, inFlight, pause, signal } = options;
  /** Streams from which entries may have been delivered to us without our knowing. */
  const undrained = new Set<string>();
  /** Entries that each stream held when it was last read: busy streams share the next batch. */
  const waiting = new Map<string, number>();
  for (;;) {
    await pause.over();
    await inFlight.room();
    const { streams: taken, isOwn } = await rotation.take();
    if (taken.length === 0) return;
    const shares = sharesOf(options, taken, waiting);
    const deliveries = await readTaken(
      options,
      taken,
      undrained,
      shares,
      isOwn ? options.blockMs : LOOK_BLOCK_MS,
    );
    options.onPoll();
    rotation.noteFull(fullOf(taken, shares, deliveries));
    noteWaiting(waiting, taken, deliveries);
    const found = new Set(deliveries.map(({ stream }) => stream));
    const rest = taken.filter(({ transactions }) => !found.has(transactions));
    const units = toUnits(options, taken, deliveries);
    if (units.length === 0) rotation.giveBack(rest);
    else for (const stream of await runUnits(options, units, rest)) undrained.add(stream);
    if (signal.aborted) return;
  }
}

/** Entries of each stream: a batch over those that have any, within what may be held. */
function sharesOf(
  { batchEntries, inFlight, inFlightMax }: ReaderOptions,
  taken: readonly StreamKeys[],
  waiting: ReadonlyMap<string, number>,
): number[] {
  const known = taken.map(({ transactions }) => waiting.get(transactions) ?? 0);
  return shareBatch(known, batchEntries, inFlightMax - inFlight.count());
}

/** Streams that brought all they were asked for: the least share, where all were asked in one command. */
function fullOf(
  taken: readonly StreamKeys[],
  shares: readonly number[],
  deliveries: readonly Delivery[],
): StreamKeys[] {
  const least = Math.min(...shares);
  const found = new Map(deliveries.map((delivery) => [delivery.stream, delivery]));
  return taken.filter(({ transactions }, at) => {
    const { entries = [], waiting } = found.get(transactions) ?? {};
    return entries.length >= (waiting === undefined ? least : (shares[at] ?? least));
  });
}

/** A read that does not say how much waits has at least found what it brought. */
function noteWaiting(
  waiting: Map<string, number>,
  taken: readonly StreamKeys[],
  deliveries: readonly Delivery[],
): void {
  for (const { transactions } of taken) waiting.delete(transactions);
  for (const { stream, entries, waiting: count } of deliveries) {
    waiting.set(stream, count ?? entries.length);
  }
}

/**
 * One after the other up to their fold, which is done one at a time anyway; then side by side. All are held
 * before the first begins: one that waits must not be taken for abandoned. Returns the streams whose entries
 * are still ours.
 * @param rest streams that had nothing: the next reader is to have them together with those that are folded, as
 *   readers that wait for a few streams each would make small batches for ever
 */
async function runUnits(
  options: ReaderOptions,
  units: readonly Unit[],
  rest: readonly StreamKeys[],
): Promise<string[]> {
  let isLent = rest.length === 0;
  const lendRest = () => {
    if (!isLent) options.rotation.giveBack(rest);
    isLent = true;
  };
  const timer = setTimeout(lendRest, REST_HELD_MS);
  const running: Promise<Left>[] = [];
  const held = units.map((unit) => ({ unit, letGo: options.inFlight.hold(unit.held) }));
  for (const { unit, letGo } of held) {
    const folded = Promise.withResolvers<void>();
    const onFolded = () => {
      lendRest();
      folded.resolve();
    };
    running.push(runHeld(options, unit, letGo, onFolded));
    await folded.promise;
  }
  clearTimeout(timer);
  return (await Promise.all(running)).flatMap((left) => [...left.keys()]);
}

/**
 * After an error each stream is looked at alone, behind the breaker of its corridor, until it was read
 * without one: a command over all of them fails when one of them does, and must not fail for ever.
 */
async function readTaken(
  options: ReaderOptions,
  taken: readonly StreamKeys[],
  undrained: Set<string>,
  shares: readonly number[],
  blockMs: number,
): Promise<Delivery[]> {
  const { connection, consumer } = options;
  const entriesMax = Math.min(...shares);
  const barred = new Set<string>();
  try {
    for (const keys of taken) {
      const { transactions: stream, corridor } = keys;
      if (!undrained.has(stream)) continue;
      const own = await readAlone(options, corridor, async () => {
        await options.prove(keys);
        return await drainOwn(options, stream, entriesMax);
      });
      if (own === null) barred.add(stream);
      else if (own.length > 0) return [{ stream, entries: own }];
      else undrained.delete(stream);
    }
    const left = taken.flatMap(({ transactions }, at) =>
      barred.has(transactions) ? [] : { stream: transactions, share: shares[at] ?? entriesMax },
    );
    if (left.length === 0) return await waitAfterError(options);
    const streams = left.map(({ stream }) => stream);
    const read = { consumer, streams, entriesMax, shares: left.map(({ share }) => share), blockMs };
    return await connection.readNew(read);
  } catch (error) {
    const streams = taken.map(({ transactions }) => transactions);
    for (const stream of streams) undrained.add(stream);
    await recover(options, streams, error);
    return [];
  }
}

/** Null when it is this corridor's own trouble. */
async function readAlone<T>(
  { guardOf, isOfOneStream }: ReaderOptions,
  corridor: string,
  read: () => Promise<T>,
): Promise<T | null> {
  try {
    return await guardOf(corridor)(read);
  } catch (error) {
    if (error instanceof Failure && isOfOneStream(error)) return null;
    throw error;
  }
}

/** The first page of our own pending entries that nobody in this process holds. */
async function drainOwn(
  { connection, consumer, inFlight }: ReaderOptions,
  stream: string,
  entriesMax: number,
): Promise<StreamEntry[]> {
  const read = { consumer, streams: [stream], entriesMax, blockMs: 0 };
  const held = inFlight.idsOf(stream);
  let after = '0';
  for (;;) {
    const [page] = await connection.readOwn(read, after);
    const last = page?.entries.at(-1);
    if (page === undefined || last === undefined) return [];
    const ours = page.entries.filter(({ id }) => !held.has(id));
    if (ours.length > 0) return ours;
    after = last.id;
  }
}

async function recover(
  { ensureGroups, isGroupMissing, log, signal }: ReaderOptions,
  streams: readonly string[],
  error: unknown,
): Promise<void> {
  if (signal.aborted) return;
  if (!(error instanceof Failure)) throw error;
  log.warn({ code: error.code, err: error.message }, 'read failed');
  if (isGroupMissing(error)) {
    const failure = (await ensureGroups(streams)).find((one) => one !== null);
    if (failure !== undefined) log.warn({ err: failure?.message }, 'group cannot be made');
  }
  await waitAfterError({ signal });
}

async function waitAfterError({ signal }: Pick<ReaderOptions, 'signal'>): Promise<never[]> {
  await sleep(ERROR_WAIT_MS, undefined, { signal }).catch(() => undefined);
  return [];
}

type Unit = { readonly held: readonly HeldEntry[]; readonly streams: readonly StreamKeys[] };

/** Joins the deliveries of several streams into units of at most `batchEntries`; a stream stays whole. */
function toUnits(
  { consumer, batchEntries }: ReaderOptions,
  taken: readonly StreamKeys[],
  deliveries: readonly Delivery[],
): Unit[] {
  const byName = new Map(taken.map((stream) => [stream.transactions, stream]));
  const units: { held: HeldEntry[]; streams: StreamKeys[] }[] = [];
  for (const { stream: name, entries } of deliveries) {
    const stream = byName.get(name);
    if (stream === undefined) throw new Error(`${name} was not asked for`);
    let unit = units.at(-1);
    if (unit === undefined || unit.held.length + entries.length > batchEntries) {
      unit = { held: [], streams: [] };
      units.push(unit);
    }
    for (const entry of entries) unit.held.push({ stream, consumer, entry });
    unit.streams.push(stream);
  }
  return units;
}

async function runHeld(
  options: ReaderOptions,
  { held, streams }: Unit,
  letGo: () => void,
  onFolded: () => void,
): Promise<Left> {
  let given = false;
  const giveBack = () => {
    if (given) return;
    given = true;
    options.rotation.giveBack(streams);
    onFolded();
  };
  try {
    return await options.runUnit(held, giveBack);
  } finally {
    giveBack();
    letGo();
  }
}
