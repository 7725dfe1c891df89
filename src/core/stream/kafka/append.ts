/**
 * Appends entries to the topics of their corridors: the same bytes that the stream gets. It never throws for Kafka's sake: what is
 * not known to be in the log is returned.
 */
import type { CorridorLog } from '../../domain/corridor.ts';
import { ENTRY_VERSION, type PackedEntry, packEntries } from '../entries/entry.ts';
import { type Append, createCoolDown, createStreamChoice } from '../entries/producer.ts';
import { partitionOf, type ShardsOf, type StreamKeys, tagOf } from '../keys.ts';
import type { KafkaClients } from './clients.ts';
import type { LogRecord } from './divide-records.ts';
import { topicsOf } from './topics.ts';

type Parts = {
  readonly clients: Pick<KafkaClients, 'send'>;
  readonly market: string;
  readonly shardsOf: ShardsOf;
  /** Null where a call is skipped. */
  readonly onMissed: (failure: unknown) => void;
};

/** Resolves to the entries that are not known to be in their topics: usually none. */
export function createKafkaAppend({ clients, market, shardsOf, onMissed }: Parts): Append {
  const streamOf = createStreamChoice(market, shardsOf);
  const unlessCooling = createCoolDown(onMissed, () => performance.now());
  return async (payloads) => {
    if (payloads.length === 0) return [];
    const left = await unlessCooling(async () => {
      const groups = Map.groupBy(payloads, ({ transaction }) => streamOf(transaction));
      const records = [...groups].flatMap(([stream, group]) =>
        packEntries(group).map((entry) => toRecord(market, stream, entry)),
      );
      const denied = await clients.send(records);
      if (denied.size === 0) return [];
      onMissed([...denied.values()].find((failure) => failure !== null) ?? null);
      return payloads.filter(({ transaction: { corridor } }) =>
        denied.has(topicsOf(market, corridor).transactions),
      );
    });
    return left ?? payloads;
  };
}

function toRecord(
  market: string,
  stream: Pick<StreamKeys, 'corridor' | 'shard'>,
  { transactions, head, packed }: PackedEntry,
): LogRecord {
  return {
    topic: topicsOf(market, stream.corridor).transactions,
    partition: partitionOf(stream.shard),
    key: tagOf(stream),
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
  toKafka: Append | undefined,
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
