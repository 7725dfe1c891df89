/**
 * Scores what Kafka delivers, beside the readers of streams: with a reader, batches in flight and a pause of its own, so that a
 * broker that is gone stops no stream. It reads corridors that ever had another log than Streams, whatever their log is now.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { settlesWithin } from '../../kit/process/settles-within.ts';
import { Failure, isUnavailable, toError } from '../../kit/words/failure.ts';
import { isUnread } from '../stream/entries/entry.ts';
import type { StreamEntry } from '../stream/group/read-group.ts';
import { ALONE_AFTER } from '../stream/kafka/claims.ts';
import type { KafkaClients } from '../stream/kafka/clients.ts';
import { type GroupReader, MEMBER_LOST, openGroupReader } from '../stream/kafka/group-reader.ts';
import { settlingOnKafka } from '../stream/kafka/settle.ts';
import { PARTITIONS, topicsOf } from '../stream/kafka/topics.ts';
import { moveToStreams } from '../stream/kafka/unread.ts';
import { divideEntries } from './end-batch.ts';
import { createPause, toBatches } from './intake.ts';
import { createInFlight, type InFlight } from './lanes.ts';
import { createNoteDelivered } from './note-delivered.ts';
import { runBatch } from './run-batch.ts';
import type { Worker } from './worker.ts';

/** Batches at a time: one folds while the other is stored. */
const BATCHES_MAX = 2;
const AGAIN_MS = 500;
/** Time after which a corridor that Kafka denies is tried again: the group divides all partitions anew. */
const DENIED_MS = 60_000;
/** Time of the last commit. Shorter: a slow broker has events come twice. Longer: a worker beside a broker that hangs ends later. */
const COMMIT_MS_MAX = 3000;
/** Reads that fail in a row until the reader is opened anew. */
const FAILURES_MAX = 5;

/** Works until the worker stops; resolves when nothing is in flight any more. */
export async function runKafkaLane(worker: Worker, clients: KafkaClients): Promise<void> {
  const { stop, log, market } = worker;
  const ofKafka = () => {
    const known = new Set([...worker.streams.values()].map(({ corridor }) => corridor));
    return [...known].filter(market.everKafka).sort();
  };
  while (!stop.signal.aborted) {
    try {
      const corridors = ofKafka();
      if (corridors.length > 0) await readCorridors(worker, clients, corridors, ofKafka);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      log.warn({ err: toError(error).message }, 'Kafka is not read');
    }
    await sleep(AGAIN_MS, undefined, { signal: stop.signal }).catch(() => undefined);
  }
}

/** Until the worker stops, or other corridors are to be read. Throws a Failure where another reader is needed. */
async function readCorridors(
  worker: Worker,
  clients: KafkaClients,
  corridors: readonly string[],
  ofKafka: () => readonly string[],
): Promise<void> {
  const { stop, market, elapsedMs, nowMs, log } = worker;
  const own = await remakeTopics(worker, clients, corridors);
  const endMs =
    own.length === corridors.length ? Number.POSITIVE_INFINITY : elapsedMs() + DENIED_MS;
  await using reader = await openGroupReader(clients, market.name, own, market.redis, nowMs);
  const inFlight = createInFlight(stop.signal, elapsedMs);
  const lane = toLane(worker, clients, reader);
  log.info({ corridors: own }, 'Kafka is read');
  let failures = 0;
  try {
    while (!stop.signal.aborted) {
      await inFlight.below(BATCHES_MAX);
      await lane.pause.over();
      if (String(ofKafka()) !== String(corridors) || elapsedMs() > endMs) return;
      if (inFlight.transactions() === 0 && reader.openEntries() > 0) {
        // Entries that could not be ended need another delivery.
        log.warn({ entries: reader.openEntries() }, 'entries of Kafka are delivered again');
        await sleep(AGAIN_MS, undefined, { signal: stop.signal }).catch(() => undefined);
        await reader.restart();
      }
      try {
        const entries = await untilStop(reader.read(), stop.signal);
        failures = 0;
        worker.onSignOfLife();
        await runEntries(lane, inFlight, reader, entries);
      } catch (error) {
        if (!(error instanceof Failure) || !isUnavailable(error)) throw error;
        failures += 1;
        if (error.code === MEMBER_LOST || failures >= FAILURES_MAX) throw error;
        log.warn({ code: error.code, err: error.message }, 'read of Kafka failed');
        await sleep(AGAIN_MS / 2, undefined, { signal: stop.signal }).catch(() => undefined);
      }
    }
  } finally {
    await inFlight.drained();
    await settlesWithin(reader.flush(), COMMIT_MS_MAX);
  }
}

/** None once the worker stops: what is read then is delivered again, to another worker. */
async function untilStop(reading: Promise<StreamEntry[]>, signal: AbortSignal) {
  const { promise: stopped, resolve } = Promise.withResolvers<StreamEntry[]>();
  const stop = () => resolve([]);
  signal.addEventListener('abort', stop);
  reading.catch(() => undefined);
  return await Promise.race([reading, stopped]).finally(() =>
    signal.removeEventListener('abort', stop),
  );
}

/**
 * A topic that is gone would keep the group from reading the topics of all corridors; what it had is appended again from open rows.
 * @returns the corridors whose topics may be read
 */
async function remakeTopics(
  { market, log }: Worker,
  clients: KafkaClients,
  corridors: readonly string[],
): Promise<readonly string[]> {
  const namesOf = (corridor: string) => Object.values(topicsOf(market.name, corridor));
  const topics = corridors.flatMap(namesOf);
  const missing = await clients.missingOf(topics);
  if (missing.length === 0) return corridors;
  log.warn({ topics: missing }, 'topics of Kafka are gone, and are made anew');
  try {
    await clients.ensureTopics(missing, PARTITIONS);
    return corridors;
  } catch (error) {
    // A topic that the user is denied is in no list of topics, and cannot be made.
    const denied = await clients.missingOf(topics);
    const own = corridors.filter(
      (corridor) => !namesOf(corridor).some((name) => denied.includes(name)),
    );
    if (denied.length === 0 || own.length === 0) throw error;
    log.warn({ err: toError(error).message, topics: denied }, 'topics of Kafka are not read');
    return own;
  }
}

async function runEntries(
  lane: Worker,
  inFlight: InFlight,
  reader: GroupReader,
  entries: readonly StreamEntry[],
): Promise<void> {
  const { config, market, metrics } = lane;
  const {
    unread = [],
    alone = [],
    others = [],
  } = Object.groupBy(entries, (entry) => {
    if (isUnread(entry, lane.entries.version)) return 'unread';
    return reader.isAlone(entry) ? 'alone' : 'others';
  });
  if (unread.length > 0) {
    await moveToStreams(market.redis, market.name, config.RISK_STREAM_ENTRIES_MAX, unread);
    for (const { stream } of unread) metrics.unreadEntries.inc({ corridor: stream.corridor });
    reader.done(unread.map(({ stream, id }) => ({ stream, entryId: id })));
  }
  for (const batch of toBatches([{ entries: others }], config.RISK_BATCH_ENTRIES)) {
    await inFlight.below(BATCHES_MAX);
    if (!reader.isOwn()) return await reader.restart();
    // A commit before each batch lets only batches in hand come twice after a rebalance. The next read reports a commit that failed.
    reader.flush().catch(() => undefined);
    void runBatch(lane, inFlight.begin(batch)).catch((error: unknown) => {
      lane.log.error({ err: toError(error).message }, 'a batch of Kafka failed');
    });
  }
  // A commit follows each entry that is read alone, so that an entry that kills its worker comes first the next time.
  for (const entry of alone) {
    await inFlight.drained();
    await reader.flush();
    if (lane.stop.signal.aborted) return;
    if (!reader.isOwn()) return await reader.restart();
    const isDivided = entry.deliveries >= ALONE_AFTER && entry.transactions > 1;
    if (isDivided) await divideEntries(lane, [entry]);
    else await runBatch(lane, inFlight.begin([entry]));
  }
  if (alone.length > 0) await reader.flush();
}

function toLane(worker: Worker, clients: KafkaClients, reader: GroupReader): Worker {
  const { market, stop, nowMs } = worker;
  return {
    ...worker,
    pause: createPause(stop.signal, worker),
    settle: settlingOnKafka({
      clients,
      redis: market.redis,
      market: market.name,
      logOf: market.logOf,
      nowMs,
      hasEventRoom: () => market.memory.hasEventRoom,
      done: reader.done,
    }),
    noteDelivered: createNoteDelivered(market, 'kafka'),
  };
}
