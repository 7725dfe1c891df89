/** The worker: readers that take turns at the streams, timed duties around them, and an orderly end. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Duty, ofEach, runMaintenance } from '../../kit/duties/run-duties.ts';
import { type Metrics, reportConnections } from '../../kit/metrics/metrics.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import { listCorridors } from '../store/transactions/transactions.ts';
import {
  CLAIM_START,
  claimStale,
  ensureGroups,
  findStale,
  heartbeat,
  isGroupMissing,
  removeConsumer,
  removeDeadConsumers,
} from '../stream/group/consumer-group.ts';
import { joinLags } from '../stream/kafka/lag.ts';
import { type StreamKeys, shardLabel, streamsOf } from '../stream/keys.ts';
import { memoryDuty } from '../stream/memory/memory-duty.ts';
import { promoteRetries } from '../stream/settle/retries.ts';
import { prove } from '../stream/settle/settle.ts';
import { measureStreams, reportStreams } from '../stream/status/lag.ts';
import { divideEntries } from './end-batch.ts';
import { runKafkaLane } from './kafka-lane.ts';
import { EXPRESS_READERS } from './lanes.ts';
import { isOfOneStream, runReader } from './reader.ts';
import { runBatch } from './run-batch.ts';
import { createWorker, type Worker, type WorkerOptions } from './worker.ts';

const REFRESH_MS = 5000;
const FIRST_STREAMS_RETRY_MS = 250;
/** Time after which an unchanged reason is logged again. */
const WAITING_SAID_EVERY_MS = 30_000;
const DEAD_CONSUMER_IDLE_MS = 3_600_000;
const DEAD_CONSUMERS_EVERY_MS = 600_000;
const [PROMOTE_EVERY_MS, LAG_EVERY_MS] = [200, 5000];

/** Transactions of one claim; with CLAIMS_MAX it bounds what one call does for a stream. */
const CLAIM_TRANSACTIONS = 250;
const CLAIMS_MAX = 100;

/**
 * Works until the signal; resolves when nothing is in flight any more.
 * @param duties those of the market and of rooms, beside a worker's own
 */
export async function runWorker(
  options: WorkerOptions,
  duties: readonly Duty[],
  signal: AbortSignal,
): Promise<void> {
  const { main: worker, express } = createWorker(options);
  const { stop, inFlight, config, name, log } = worker;
  if (signal.aborted) stop.abort();
  signal.addEventListener('abort', () => stop.abort(), { once: true });
  const drained = new AbortController();
  const beats = runMaintenance([heartbeatDuty(worker)], drained.signal, log);
  try {
    await insistOnStreams(worker);
    const work = [
      ...Array.from({ length: config.RISK_WORKER_READERS }, (_, n) =>
        runReader(worker, `${name}-${n + 1}`),
      ),
      ...Array.from({ length: EXPRESS_READERS }, (_, n) =>
        runReader(express, `${name}-${config.RISK_WORKER_READERS + n + 1}`),
      ),
      runMaintenance([...dutiesOf(worker), ...duties], stop.signal, log),
      endReads(worker),
      ...(worker.kafka === undefined ? [] : [runKafkaLane(worker, worker.kafka)]),
    ];
    await Promise.all(work.map((part) => part.catch((error: unknown) => fail(worker, error))));
    await inFlight.drained();
  } finally {
    drained.abort();
    await beats;
  }
  await removeConsumers(worker);
}

const streamsRead = ({ streams }: Worker): StreamKeys[] => [...streams.values()];

/** A bug: everything else is stopped, then the error is rethrown. */
function fail({ stop }: Worker, error: unknown): never {
  stop.abort();
  throw toError(error);
}

/** Ends blocking reads once the worker stops; a connection that cannot even be unblocked is closed. */
async function endReads({ reader, express, stop }: Worker): Promise<void> {
  if (!stop.signal.aborted) await once(stop.signal, 'abort');
  await Promise.all(
    [reader, express.reader].map((reader) => reader.unblock().catch(() => reader.close())),
  );
}

function dutiesOf(worker: Worker): Duty[] {
  const { market, metrics } = worker;
  const { redis } = market;
  return [
    { name: 'streams', everyMs: REFRESH_MS, run: async () => void (await addStreams(worker)) },
    createReclaim(worker),
    {
      name: 'dead-consumers',
      everyMs: DEAD_CONSUMERS_EVERY_MS,
      async run() {
        await ofEach(streamsRead(worker), ({ transactions }) =>
          removeDeadConsumers(redis, transactions, DEAD_CONSUMER_IDLE_MS),
        );
      },
    },
    {
      name: 'promote-retries',
      everyMs: PROMOTE_EVERY_MS,
      async run() {
        await promoteRetries(redis, streamsRead(worker));
      },
    },
    memoryDuty(market, metrics, () => streamsRead(worker)),
    { name: 'lag', everyMs: LAG_EVERY_MS, run: () => reportLag(worker) },
  ];
}

async function reportLag({ market, metrics, streams, readKafka }: Worker): Promise<void> {
  reportConnections(metrics, market.database.usage());
  const measured = await measureStreams(market.redis, [...streams.values()]);
  reportStreams(metrics, joinLags(measured, readKafka?.()?.lags ?? [], market.logOf));
}

/** Entries of batches that take long are not left for others to claim. */
function heartbeatDuty({ config, market, inFlight }: Worker): Duty {
  const everyMs = Math.ceil(config.RISK_CLAIM_IDLE_MS / 3);
  return {
    name: 'heartbeat',
    everyMs,
    async run() {
      await ofEach(inFlight.olderThan(everyMs), ({ stream, consumer, ids }) =>
        heartbeat(market.redis, stream, consumer, ids),
      );
    },
  };
}

const pinnedOf = ({ config }: Worker) => config.RISK_WORKER_CORRIDORS?.split(',');

/** Counters of events that alerts tell of a corridor begin at 0, so that `increase` sees the first event. */
function beginCounting(
  { deadLetters, unreadEntries, modelRollbacks, ruleSetRollbacks }: Metrics,
  corridor: string,
): void {
  deadLetters.inc({ corridor }, 0);
  unreadEntries.inc({ corridor }, 0);
  modelRollbacks.inc({ corridor }, 0);
  ruleSetRollbacks.inc({ corridor }, 0);
}

/** Adds streams that appeared and returns all corridors of the market. One that cannot be made ready now is tried again at the next refresh. */
async function addStreams(worker: Worker): Promise<string[]> {
  const { market, metrics, streams } = worker;
  const { database, redis, name, shardsOf, refusalOf } = market;
  const corridors = await listCorridors(database);
  const pinned = pinnedOf(worker);
  const own = corridors.filter(
    (corridor) => (pinned?.includes(corridor) ?? true) && refusalOf(corridor) === undefined,
  );
  const fresh = streamsOf(name, own, shardsOf).filter(
    (reader) => !streams.has(reader.transactions),
  );
  const failures = await ensureGroups(
    redis,
    fresh.map((stream) => stream.transactions),
  );
  for (const [index, stream] of fresh.entries()) {
    if (failures[index] !== null) continue;
    streams.set(stream.transactions, stream);
    beginCounting(metrics, stream.corridor);
  }
  const failed = failures.find((failure) => failure !== null);
  if (failed !== undefined && streams.size === 0) throw failed;
  return corridors;
}

/** Corridors may be added while a worker runs, so an unknown one is no bad configuration. */
function warnOfUnknown(worker: Worker, known: readonly string[]): void {
  const unknown = pinnedOf(worker)?.filter((reader) => !known.includes(reader)) ?? [];
  if (unknown.length === 0) return;
  const text = 'RISK_WORKER_CORRIDORS names corridors that the market does not have';
  worker.log.warn({ unknown, known }, text);
}

/** The first time, as there is nothing to do without streams. */
async function insistOnStreams(worker: Worker): Promise<void> {
  const { signal } = worker.stop;
  let said = { message: '', atMs: 0 };
  while (!signal.aborted) {
    try {
      return warnOfUnknown(worker, await addStreams(worker));
    } catch (error) {
      if (signal.aborted) return;
      const { message } = toError(error);
      const nowMs = performance.now();
      if (message !== said.message || nowMs - said.atMs >= WAITING_SAID_EVERY_MS) {
        worker.log.warn({ err: message }, 'waiting for the streams');
        said = { message, atMs: nowMs };
      }
      worker.onSignOfLife();
      await sleep(FIRST_STREAMS_RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The worker's consumers are removed, except where they still have pending entries for others to claim. */
async function removeConsumers(worker: Worker): Promise<void> {
  const { config, market, name, log } = worker;
  const streams = streamsRead(worker).map(({ transactions }) => transactions);
  const removals = Array.from(
    { length: config.RISK_WORKER_READERS + EXPRESS_READERS + 1 },
    (_, n) => removeConsumer(market.redis, streams, `${name}-${n}`),
  );
  for (const result of await Promise.allSettled(removals)) {
    if (result.status === 'rejected') {
      log.warn({ err: toError(result.reason).message }, 'consumer stays');
    }
  }
}

/**
 * Takes over entries of workers that crashed or hang, or that do not read the version of an entry. Each claim counts as a
 * delivery, so no more is claimed than is worked on at once, and nothing that cannot be settled.
 * Claims what is to be had in every stream, and returns when that is settled.
 */
function createReclaim(worker: Worker): Duty {
  const { config, inFlight, pause } = worker;
  /** Where the last claim of each stream ended: a long pending list is walked, not searched again. */
  const cursors = new Map<StreamKeys, string>();
  const claimAll = async (stream: StreamKeys, signal: AbortSignal) => {
    for (let claims = 0; claims < CLAIMS_MAX; claims++) {
      await inFlight.below(config.RISK_WORKER_READERS);
      if (signal.aborted) return;
      const next = await claimOnce(worker, stream, cursors.get(stream) ?? CLAIM_START);
      cursors.set(stream, next);
      if (next === CLAIM_START) return;
    }
  };
  return {
    name: 'reclaim',
    everyMs: Math.ceil(config.RISK_CLAIM_IDLE_MS / 3),
    async run(signal) {
      await pause.over();
      const going = streamsRead(worker).filter(({ corridor }) => !worker.isStopped(corridor));
      const { redis } = worker.market;
      for (const stream of await findStale(redis, going, config.RISK_CLAIM_IDLE_MS)) {
        await claimAll(stream, signal);
      }
    },
  };
}

/** Returns the cursor of the next claim. */
async function claimOnce(worker: Worker, stream: StreamKeys, cursor: string): Promise<string> {
  const { config, market, inFlight, metrics, log } = worker;
  const { redis, guards } = market;
  try {
    const claimed = await guards
      .streamsOf(stream.corridor, shardLabel(stream.shard))
      .run(async () => {
        await prove(redis, stream);
        return await claimStale(redis, worker.entries.version, {
          stream,
          consumer: `${worker.name}-0`,
          idleMs: config.RISK_CLAIM_IDLE_MS,
          cursor,
          transactionsMax: CLAIM_TRANSACTIONS,
        });
      });
    const busy = inFlight.idsOf(stream.transactions);
    const entries = claimed.entries.filter(({ id }) => !busy.has(id));
    const suspects = claimed.suspects.filter(({ id }) => !busy.has(id));
    if (entries.length + suspects.length > 0) {
      metrics.claimed.inc(entries.length + suspects.length);
      const counts = { entries: entries.length, divided: suspects.length };
      log.info({ stream: stream.transactions, ...counts }, 'claimed entries');
    }
    if (suspects.length > 0) await divideEntries(worker, suspects);
    if (entries.length > 0) await runBatch(worker, inFlight.begin(entries));
    return claimed.cursor;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (isGroupMissing(error)) await ensureGroups(redis, [stream.transactions]);
    // The breaker reports a failing corridor; others' entries are claimed all the same.
    else if (!isOfOneStream(error)) throw error;
    return CLAIM_START;
  }
}
