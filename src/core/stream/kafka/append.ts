/**
 * Appends entries to the topics of their corridors: the same bytes that the stream gets. It never throws for Kafka's sake: what is
 * not known to be in the log is returned, and for a second after a failure nobody but one caller tries.
 */
import type { Log } from '../../../kit/metrics/log.ts';
import { isUnavailable, toError } from '../../../kit/words/failure.ts';
import type { CorridorLog } from '../../domain/switch.ts';
import {
  ENTRY_VERSION,
  type EntryPayload,
  type PackedEntry,
  packEntries,
} from '../entries/entry.ts';
import { createStreamChoice } from '../entries/producer.ts';
import type { ShardsOf, StreamKeys } from '../keys.ts';
import type { KafkaClients } from './clients.ts';
import type { LogRecord } from './divide-records.ts';
import { keyOf, topicsOf } from './topics.ts';

const COOL_DOWN_MS = 1000;

/** Resolves to the entries that are not known to be in their topics: usually none. */
type TryAppendToKafka = (payloads: readonly EntryPayload[]) => Promise<readonly EntryPayload[]>;

type Parts = {
  readonly clients: Pick<KafkaClients, 'send'>;
  readonly market: string;
  readonly shardsOf: ShardsOf;
  readonly onFailure: (reason: 'kafka' | 'kafka-cool-down', error?: unknown) => void;
};

type Append = (payloads: readonly EntryPayload[]) => Promise<readonly EntryPayload[]>;

export function createKafkaAppend(
  { clients, market, shardsOf, onFailure }: Parts,
  nowMs: () => number = () => performance.now(),
): TryAppendToKafka {
  const streamOf = createStreamChoice(market, shardsOf);
  let retryAtMs = Number.NEGATIVE_INFINITY;
  return async (payloads) => {
    if (payloads.length === 0) return [];
    if (nowMs() < retryAtMs) {
      onFailure('kafka-cool-down');
      return payloads;
    }
    const groups = Map.groupBy(payloads, ({ transaction }) => streamOf(transaction));
    const records = [...groups].flatMap(([stream, group]) =>
      packEntries(group).map((entry) => toRecord(market, stream, entry)),
    );
    const isTrial = retryAtMs > Number.NEGATIVE_INFINITY;
    if (isTrial) retryAtMs = nowMs() + COOL_DOWN_MS;
    try {
      await clients.send(records);
      retryAtMs = Number.NEGATIVE_INFINITY;
      return [];
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      retryAtMs = nowMs() + COOL_DOWN_MS;
      onFailure('kafka', error);
      return payloads;
    }
  };
}

/** Counts failures, and logs what Kafka says. */
export function bindKafkaAppend({
  metrics,
  log,
  ...parts
}: Omit<Parts, 'onFailure'> & {
  readonly metrics: { readonly appendFailures: { inc: (labels: { reason: string }) => void } };
  readonly log: Pick<Log, 'warn'>;
}): TryAppendToKafka {
  return createKafkaAppend({
    ...parts,
    onFailure(reason, error) {
      metrics.appendFailures.inc({ reason });
      if (error !== undefined) log.warn({ err: toError(error).message }, 'Kafka takes no entries');
    },
  });
}

function toRecord(
  market: string,
  stream: Pick<StreamKeys, 'corridor' | 'shard'>,
  { transactions, head, packed }: PackedEntry,
): LogRecord {
  return {
    topic: topicsOf(market, stream.corridor).transactions,
    partition: stream.shard,
    key: keyOf(stream),
    value: packed,
    headers: { v: ENTRY_VERSION, n: String(transactions), h: head },
  };
}

/**
 * Chooses the log of each entry by its corridor. One log that takes an entry suffices: the other one's lack shows in the comparison.
 * Each log resolves to what it did not append.
 * @param toKafka undefined where the process knows no Kafka: Streams take all
 */
export function appendToLogs(
  toStreams: Append,
  toKafka: TryAppendToKafka | undefined,
  logOf: (corridor: string) => CorridorLog,
): Append {
  if (toKafka === undefined) return toStreams;
  return async (payloads) => {
    if (payloads.every((payload) => logOf(payload.transaction.corridor) === 'streams')) {
      return await toStreams(payloads);
    }
    const groups = Object.groupBy(payloads, (payload) => logOf(payload.transaction.corridor));
    const { streams = [], both = [], kafka = [] } = groups;
    const [left, unmirrored, leftByKafka] = await Promise.all([
      toStreams([...streams, ...both]),
      toKafka(both),
      toKafka(kafka),
    ]);
    const lacking = new Set(unmirrored);
    const mirrored = new Set(both.filter((payload) => !lacking.has(payload)));
    return [...left.filter((payload) => !mirrored.has(payload)), ...leftByKafka];
  };
}
