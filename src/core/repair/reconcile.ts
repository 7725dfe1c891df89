/**
 * The reconciler appends transactions that are accepted and in no stream: those whose append was refused or failed, and those
 * of open rows that are nowhere in Redis, whatever lost them. Appending twice is harmless and a missing entry is not, so it
 * appends when in doubt.
 *
 * The leader of a market runs the reconciler every second or so, or an operator does (`risk reconcile`). A run takes a bounded
 * time; the next run goes on with the rows that are left.
 */
import type { Config } from '../../kit/config/config.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Writes } from '../../kit/duties/leadership.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import type { Controls } from '../domain/control.ts';
import { layoutOf } from '../domain/corridor.ts';
import type { OpenRow, Transaction } from '../domain/transaction.ts';
import { readControls } from '../store/controls/controls.ts';
import { hasLeft, type LeftQueue } from '../store/open-rows/lost-rows.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';
import { type Append, createProducer } from '../stream/entries/producer.ts';
import { appendToLogs, createKafkaAppend } from '../stream/kafka/append.ts';
import type { KafkaClients } from '../stream/kafka/clients.ts';
import { createFindRows } from '../stream/kafka/find-rows.ts';
import {
  SHARDS_MAX,
  type ShardsOf,
  type StreamKeys,
  streamKeys,
  streamsOf,
} from '../stream/keys.ts';
import { createStreamRooms, type StreamRooms } from '../stream/memory/memory.ts';
import { createHeadReader } from '../stream/status/heads.ts';
import { createRowStore, type RowStore, takeFinal } from './row-store.ts';
import { createWalk } from './walk-rows.ts';

type ReconcileReport = {
  /** Rows that were appended, or have nothing to be appended. */
  readonly rows: number;
  /** Transactions that were appended. */
  readonly appended: number;
  /** Open rows that were nowhere in Redis. */
  readonly lost: number;
  /** Whether every open row was looked at since the last time this was true. */
  readonly isWhole: boolean;
  /** Whether transactions wait for full streams. */
  readonly full: boolean;
};

export type Reconciler = { readonly run: (signal: AbortSignal) => Promise<ReconcileReport> };

/** Longer runs keep an operator or a stopping worker waiting; shorter ones look up the room of streams more often. */
const RUN_MS_MAX = 5000;
/**
 * The reconciler fills a stream to this multiple of the bound of requests, so that owed transactions get space before new ones.
 */
const OWED_FILL = 1.1;
/**
 * A full stream is fed again once this share is free, so that little of a page is read in vain. Above what OWED_FILL adds, the
 * stream would never be fed, as requests take what is free below their bound.
 */
const REFILL_SHARE = 0.05;
const NONE: ReadonlySet<string> = new Set();
/** Time of one look, and the share of all time that looking for rows may take: a pass reads all that waits. */
const LOOK_MS_MAX = 250;
const LOOK_SHARE = 1 / 10;

/** Transactions of one round, about 2 MB once loaded; and rows of a queue, as a row may hold one transaction. */
const ROUND_TRANSACTIONS_MAX = 5000;

type Round = {
  readonly store: RowStore;
  readonly append: Append;
  readonly corridors: readonly string[];
  /** Streams that each corridor has now. */
  readonly shardsOf: ShardsOf;
  /** Transactions that a stream has room for; 0 where one that was full has too little to continue. */
  readonly roomOf: (stream: Pick<StreamKeys, 'corridor' | 'shard'>) => number;
};

/**
 * The reconciler of a market, for `risk reconcile` and as a duty of the worker that leads.
 * @param count called with the number of transactions of each append
 * @param writes those of the leader, which name its epoch
 * @param kafka undefined where no KAFKA_URL is set
 */
export function bindReconciler(
  config: Config,
  database: Database,
  redis: RedisClient,
  count: (appended: number) => void,
  writes: Writes = database,
  kafka?: KafkaClients,
): Reconciler {
  const { RISK_MARKET: name, RISK_STREAM_ENTRIES_MAX: transactionsMax } = config;
  let controls: Pick<Controls, 'settings'> = { settings: new Map() };
  const { shardsOf, logOf, everKafka } = layoutOf(() => controls);
  const corridors = async () => {
    controls = await readControls(database);
    return [...controls.settings.keys()];
  };
  const rooms = createStreamRooms({
    redis,
    transactionsMax,
    fill: OWED_FILL,
    listStreams: async () => streamsOf(name, await corridors(), shardsOf),
  });
  const streams = createProducer({
    redis,
    market: name,
    shardsOf,
    transactionsMax: rooms.recent,
    passesFaults: true,
  });
  const onMissed = () => undefined;
  const append = appendToLogs(
    streams.append,
    kafka && createKafkaAppend({ clients: kafka, market: name, shardsOf, onMissed }),
    logOf,
  );
  const findRows = kafka && createFindRows(kafka, name, logOf);
  const store = createRowStore(database, writes, config.RISK_RECONCILE_AGE_MS);
  const walk = createWalk({
    market: name,
    store,
    heads: createHeadReader(redis),
    findElsewhere:
      findRows && (async (queue, rowIds) => (everKafka(queue) ? findRows(queue, rowIds) : NONE)),
    listCorridors: corridors,
    shardsOf,
  });
  let lookFromMs = Number.NEGATIVE_INFINITY;

  const run = async (signal: AbortSignal): Promise<ReconcileReport> => {
    const endMs = performance.now() + RUN_MS_MAX;
    const isOver = () => signal.aborted || performance.now() >= endMs;
    let [rows, appended, full] = [0, 0, false];
    await store.resumeRows();
    const found = await look();
    for (let isOwing = await hasLeft(database.query); isOwing && !isOver(); ) {
      const roomOf = await readRoom(name, rooms);
      const round = { store, append, shardsOf, roomOf, corridors: await corridors() };
      const result = await feedRows(round);
      count(result.appended);
      appended += result.appended;
      rows += result.rows;
      full = result.isFull;
      isOwing = result.rows > 0;
    }
    return { ...found, rows, appended, full };
  };
  /** A pass, or as much of it as there is time for; the next look begins after a pause, unless rows were lost. */
  const look = async () => {
    const startMs = performance.now();
    let lost = 0;
    if (startMs < lookFromMs) return { lost, isWhole: false };
    for (;;) {
      const step = await walk.step();
      lost += step.lost;
      const tookMs = performance.now() - startMs;
      if (step.isWhole || lost > 0 || tookMs > LOOK_MS_MAX) {
        lookFromMs = startMs + tookMs / (lost > 0 ? 1 : LOOK_SHARE);
        return { lost, isWhole: step.isWhole };
      }
    }
  };

  return {
    run: async (signal) => {
      try {
        return await run(signal);
      } catch (error) {
        walk.forget();
        throw error;
      }
    },
  };
}

/** Transactions that a stream has room for; 0 until a share of its room is free. */
async function readRoom(market: string, rooms: StreamRooms) {
  const roomOf = await rooms.measure();
  return ({ corridor, shard }: { readonly corridor: string; readonly shard: number }) => {
    const { total, transactionsMax } = roomOf(streamKeys(market, corridor, shard).transactions);
    const free = transactionsMax - total;
    return free >= Math.max(1, transactionsMax * REFILL_SHARE) ? free : 0;
  };
}

/**
 * Appends rows that are not in their streams: their append failed, a stream was full, or they were lost. Each stream gets the
 * oldest first, as much as it has room for, so that a full one delays no other.
 * @returns `rows`: those that are in their streams now, or wait for something else; `isFull`: there were rows for streams without room
 */
export async function feedRows(round: Round) {
  const { store, append } = round;
  const rooms = roomsOf(round);
  // A single row tells that a full stream is owed entries.
  const queues = [...rooms].map(([queue, room]) => ({ ...queue, transactionsMax: room || 1 }));
  const left = await store.listLeft(queues, ROUND_TRANSACTIONS_MAX);
  const full = new Set([...rooms].flatMap(([queue, room]) => (room === 0 ? nameOf(queue) : [])));
  const rows = firstOf(left.filter((row) => !full.has(nameOf(row))));
  const isFull = rows.length < left.length;
  if (rows.length === 0) return { rows: 0, appended: 0, isFull };
  const ids = rows.flatMap(({ transactionIds }) => transactionIds);
  const unscored = await store.loadUnscored(ids);
  const loaded = new Map(unscored.map((queue) => [queue.transactionId, queue]));
  const payloads = rows.flatMap(({ rowId, transactionIds }) =>
    transactionIds.flatMap((id) => toPayload(rowId, loaded.get(id))),
  );
  const refusedPayloads = await append(payloads);
  const refused = new Set(refusedPayloads.map(({ rowId }) => rowId));
  const done = rows.flatMap(({ rowId }) => (refused.has(rowId) ? [] : rowId));
  await store.setLeft(done, false);
  if (loaded.size < ids.length) await takeFinal(store, rows, loaded);
  const appended = payloads.length - refusedPayloads.length;
  return { rows: done.length, appended, isFull: isFull || refused.size > 0 };
}

type Queue = Pick<LeftQueue, 'corridor' | 'shard'>;
const nameOf = ({ corridor, shard }: Queue) => `${corridor} ${shard}`;

/**
 * Room of each queue. A row that a process opened before it read a change of shards is divided among the present ones, which must
 * all have some.
 */
function roomsOf({ corridors, shardsOf, roomOf }: Round): Map<Queue, number> {
  const rooms = new Map<Queue, number>();
  for (const corridor of corridors) {
    for (const first of [0, SHARDS_MAX]) {
      const present = Array.from({ length: shardsOf(corridor) }, (_, at) =>
        roomOf({ corridor, shard: first + at }),
      );
      for (let at = 0; at < SHARDS_MAX; at++) {
        rooms.set({ corridor, shard: first + at }, present[at] ?? Math.min(...present));
      }
    }
  }
  return rooms;
}

function firstOf(rows: readonly OpenRow[]): OpenRow[] {
  let before = 0;
  return rows.filter(({ transactionIds }) => {
    before += transactionIds.length;
    return before - transactionIds.length < ROUND_TRANSACTIONS_MAX;
  });
}

function toPayload(rowId: string, transaction: Transaction | undefined): EntryPayload[] {
  if (transaction === undefined) return [];
  return [{ transaction, attempt: 1, origin: 'reconciled', replyTo: null, rowId }];
}
