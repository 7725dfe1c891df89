/** Parts with which the API accepts transactions and labels: opened once a process, used by every request. */
import type { Guards } from '../../kit/breakers/guards.ts';
import type { Config } from '../../kit/config/config.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { Failpoint } from '../../kit/process/failpoint.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import { isStreamAtFault } from '../../kit/redis/outage.ts';
import { Failure, toError } from '../../kit/words/failure.ts';
import type { Controls } from '../domain/control.ts';
import type { Layout } from '../domain/corridor.ts';
import type { Label } from '../domain/label.ts';
import type { Personal } from '../personal.ts';
import type { ControlWatch, LimitWatch } from '../store/controls/watch-controls.ts';
import { createKeySlices, type KeySlices } from '../store/idempotency-keys/key-slices.ts';
import { setLeft } from '../store/open-rows/open-rows.ts';
import { createPartitionGuard, type PartitionGuard } from '../store/partitions/partitions.ts';
import type { EntryPayload } from '../stream/entries/entry.ts';
import {
  type Append,
  createCoolDown,
  createProducer,
  type Producer,
} from '../stream/entries/producer.ts';
import { appendToLogs, createKafkaAppend } from '../stream/kafka/append.ts';
import type { KafkaClients } from '../stream/kafka/clients.ts';
import { streamsOf } from '../stream/keys.ts';
import { createStreamRooms } from '../stream/memory/memory.ts';
import { createGate, type Gate, NEW_MONTHS_PER_REQUEST_MAX } from './gate.ts';
import { type InvalidateLabelled, openInvalidateLabelled } from './invalidate-labelled.ts';
import { createLimiter, type Limiter } from './limits/limiter.ts';

const MIB = 2 ** 20;

export type Ingest = {
  readonly database: Database;
  readonly keySlices: KeySlices;
  readonly partitions: PartitionGuard;
  /** Months that one request may create. */
  readonly newMonthsMax: number;
  readonly tryAppend: Append;
  readonly leftRows: ReturnType<typeof createLeftRows>;
  /** Streams that each corridor has now. */
  readonly shardsOf: Layout['shardsOf'];
  readonly invalidateLabelled: InvalidateLabelled;
  /** Corridors that a transaction may name, as last read. */
  readonly corridors: ControlWatch['corridors'];
  /** The market of each corridor that another market has. */
  readonly elsewhere: () => Controls['elsewhere'];
  readonly refusalOf: Layout['refusalOf'];
  readonly fields: () => Controls['fields'];
  /** Tokens of personal values; null while the market declares no field. */
  readonly tokens: Personal['tokens'];
  readonly gate: Gate;
  readonly limiter: Limiter;
  /** Breakers of the corridors' commits. */
  readonly writes: Guards['writes'];
  readonly metrics: Pick<Metrics, 'refused' | 'accepted' | 'duplicates' | 'labels' | 'labelDelay'>;
  readonly failpoint: Failpoint;
  /** Statements that rooms add in the commit that stores labels. */
  readonly onLabelled: readonly OnLabelled[];
};

export type OnLabelled = (query: Query, labels: readonly Label[]) => Promise<void>;

const FLUSH_INTERVAL_MS = 50;
const FLUSH_IDS = 1000;
/** Most rows remembered while Postgres does not answer; the reconciler finds the others. */
const IDS_MAX = 10_000;

type Breakers = Pick<Guards, 'redis' | 'streamsOf'>;

export function openIngest(
  config: Config,
  opened: {
    readonly database: Database;
    readonly redis: RedisClient;
    readonly guards: Guards;
    readonly metrics: Metrics;
    readonly controls: ControlWatch;
    readonly limits: LimitWatch;
    readonly failpoint: Failpoint;
    readonly log: Log;
    readonly onLabelled: readonly OnLabelled[];
    readonly personal: Personal;
    /** Undefined where no KAFKA_URL is set. */
    readonly kafka: KafkaClients | undefined;
  },
): Ingest {
  const { database, redis, guards, metrics, controls, limits, failpoint, log, kafka } = opened;
  const { corridors, layout } = controls;
  const { shardsOf } = layout;
  const { RISK_MARKET: market } = config;
  const rooms = createStreamRooms({
    redis,
    listStreams: async () => streamsOf(market, corridors(), shardsOf),
    transactionsMax: config.RISK_STREAM_ENTRIES_MAX,
  });
  const onKafkaMissed = (failure: unknown) => {
    metrics.appendFailures.inc({ reason: failure === null ? 'kafka-cool-down' : 'kafka' });
    if (failure !== null) log.warn({ err: toError(failure).message }, 'Kafka takes no entries');
  };
  const producer = createProducer({ redis, market, shardsOf, transactionsMax: rooms.recent });
  return {
    database,
    metrics,
    corridors,
    elsewhere: () => controls.current().elsewhere,
    refusalOf: layout.refusalOf,
    fields: () => controls.current().fields,
    tokens: opened.personal.tokens,
    writes: guards.writes,
    gate: createGate(controls, config.RISK_CONTROLS_UNREAD),
    limiter: createLimiter(limits, { redis, market, run: guards.redis.run }),
    failpoint,
    onLabelled: opened.onLabelled,
    keySlices: createKeySlices(database, {
      bytesMax: config.RISK_KEY_FILTER_MB * MIB,
      nowMs: () => performance.now(),
      report: ({ unfiltered, filterBytes }) => {
        metrics.keySlicesUnfiltered.set(unfiltered);
        metrics.keyFilterBytes.set(filterBytes);
      },
    }),
    partitions: createPartitionGuard(database),
    newMonthsMax: NEW_MONTHS_PER_REQUEST_MAX,
    tryAppend: appendToLogs(
      createTryAppend(producer, guards, metrics.appendFailures),
      kafka && createKafkaAppend({ clients: kafka, market, shardsOf, onMissed: onKafkaMissed }),
      layout.logOf,
    ),
    leftRows: createLeftRows(database, log),
    shardsOf,
    invalidateLabelled: openInvalidateLabelled(database, redis, market, guards.redis.run),
  };
}

/**
 * Notes rows whose entries could not be appended: gathers ids and writes many in one statement. The reconciler appends them as
 * soon as there is room. A row that is not noted costs the reconciler a search, once the row has the age for it.
 */
function createLeftRows(database: Pick<Database, 'query'>, log: Pick<Log, 'warn'>) {
  let gathered = new Set<string>();
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  const write = async () => {
    const rowIds = [...gathered];
    gathered = new Set();
    await setLeft(database.query, rowIds, true).catch((error: unknown) => {
      log.warn({ cause: String(error), rows: rowIds.length }, 'rows left to the reconciler');
    });
  };
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    running = running.then(write);
    return running;
  };
  return {
    note(left: readonly Pick<EntryPayload, 'rowId'>[]): void {
      for (const { rowId } of left) {
        if (rowId !== null && gathered.size < IDS_MAX) gathered.add(rowId);
      }
      if (gathered.size >= FLUSH_IDS) void flush();
      else timer ??= setTimeout(() => void flush(), FLUSH_INTERVAL_MS);
    },
    /** Writes what is gathered; must be called before the pool closes. */
    flush,
  };
}

/**
 * Hands committed transactions to the streams. An append never fails a request: what cannot be appended is
 * counted and stays in its open row, which the reconciler appends later, in order.
 * @param nowMs monotonic clock
 */
export function createTryAppend(
  producer: Producer,
  breakers: Breakers,
  failures: { inc: (labels: { reason: string }) => void },
  nowMs: () => number = () => performance.now(),
): Append {
  const reasonOf = (failure: unknown) =>
    failure instanceof Failure ? failure.code : failure === null ? 'cool-down' : 'unavailable';
  const unlessCooling = createCoolDown(
    (failure) => failures.inc({ reason: reasonOf(failure) }),
    nowMs,
  );
  return async (payloads) => {
    const left = await unlessCooling(() => appendByCorridor(producer, breakers, payloads));
    if (left !== undefined && left.length > 0) failures.inc({ reason: 'full' });
    return left ?? payloads;
  };
}

/**
 * Returns what was not appended. Where the streams of a corridor cannot be written, its entries are left to the
 * reconciler and other corridors go on; only failures of Redis itself are thrown.
 */
async function appendByCorridor(
  producer: Producer,
  { redis, streamsOf }: Breakers,
  payloads: readonly EntryPayload[],
): Promise<EntryPayload[]> {
  const groups = Map.groupBy(payloads, ({ transaction }) => transaction.corridor);
  const left = await Promise.all(
    [...groups].map(async ([corridor, group]): Promise<readonly EntryPayload[]> => {
      try {
        return await streamsOf(corridor).run(() => redis.run(() => producer.append(group)));
      } catch (error) {
        const isRefused = error instanceof Failure && error.code === 'BREAKER_OPEN';
        if (isStreamAtFault(error) || (isRefused && redis.state() === 'closed')) return group;
        throw error;
      }
    }),
  );
  return left.flat();
}
