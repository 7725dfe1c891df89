/** Parts with which the API accepts transactions and labels: opened once a process, used by every request. */
import type { Guards } from '../../kit/breakers/guards.ts';
import type { Config } from '../../kit/config/config.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import type { Log } from '../../kit/metrics/log.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { Failpoint } from '../../kit/process/failpoint.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import type { Label } from '../domain/label.ts';
import type { Layout } from '../domain/layout.ts';
import type { Switches } from '../domain/switch.ts';
import type { Personal } from '../personal.ts';
import { createKeySlices, type KeySlices } from '../store/idempotency-keys/key-slices.ts';
import type { LimitWatch } from '../store/limits/watch-limits.ts';
import { createPartitionGuard, type PartitionGuard } from '../store/partitions/partitions.ts';
import type { SwitchWatch } from '../store/switches/watch-switches.ts';
import { createProducer } from '../stream/entries/producer.ts';
import { bindKafkaAppend } from '../stream/kafka/append.ts';
import { appendToLogs } from '../stream/kafka/append-to-logs.ts';
import type { KafkaClients } from '../stream/kafka/clients.ts';
import { streamsOf } from '../stream/keys.ts';
import { createStreamRooms } from '../stream/memory/stream-capacity.ts';
import { createTryAppend, type TryAppend } from './append-entries.ts';
import { createGate, type Gate } from './gate.ts';
import { type InvalidateLabelled, openInvalidateLabelled } from './invalidate-labelled.ts';
import { createLeftRows, type LeftRows } from './left-rows.ts';
import { createLimiter, type Limiter } from './limits/limiter.ts';
import { NEW_MONTHS_PER_REQUEST_MAX } from './refuse-months.ts';

const MIB = 2 ** 20;

export type Ingest = {
  readonly database: Database;
  readonly keySlices: KeySlices;
  readonly partitions: PartitionGuard;
  /** Months that one request may create. */
  readonly newMonthsMax: number;
  readonly tryAppend: TryAppend;
  readonly leftRows: LeftRows;
  /** Streams that each corridor has now. */
  readonly shardsOf: Layout['shardsOf'];
  readonly invalidateLabelled: InvalidateLabelled;
  /** Corridors that a transaction may name, as last read. */
  readonly corridors: SwitchWatch['corridors'];
  /** The market of each corridor that another market has. */
  readonly elsewhere: () => Switches['elsewhere'];
  readonly fields: () => Switches['fields'];
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

export function openIngest(
  config: Config,
  opened: {
    readonly database: Database;
    readonly redis: RedisClient;
    readonly guards: Guards;
    readonly metrics: Metrics;
    readonly switches: SwitchWatch;
    readonly limits: LimitWatch;
    readonly failpoint: Failpoint;
    readonly log: Log;
    readonly onLabelled: readonly OnLabelled[];
    readonly personal: Personal;
    /** Undefined where no KAFKA_URL is set. */
    readonly kafka: KafkaClients | undefined;
  },
): Ingest {
  const { database, redis, guards, metrics, switches, limits, failpoint, log, kafka } = opened;
  const { corridors, layout } = switches;
  const { shardsOf } = layout;
  const { RISK_MARKET: market } = config;
  const rooms = createStreamRooms({
    redis,
    listStreams: async () => streamsOf(market, corridors(), shardsOf),
    transactionsMax: config.RISK_STREAM_ENTRIES_MAX,
  });
  const producer = createProducer({ redis, market, shardsOf, transactionsMax: rooms.recent });
  return {
    database,
    metrics,
    corridors,
    elsewhere: () => switches.current().elsewhere,
    fields: () => switches.current().fields,
    tokens: opened.personal.tokens,
    writes: guards.writes,
    gate: createGate(switches, config.RISK_SWITCHES_UNREAD),
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
      kafka && bindKafkaAppend({ clients: kafka, market, shardsOf, metrics, log }),
      layout.logOf,
    ),
    leftRows: createLeftRows(database, log),
    shardsOf,
    invalidateLabelled: openInvalidateLabelled(database, redis, market, guards.redis.run),
  };
}
