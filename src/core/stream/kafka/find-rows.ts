/**
 * The open rows that Kafka still has: in an entry between the offset that the group has committed and the end of its partition, or
 * in a retry. An entry goes on in the retries, and a retry at the end of the retries, so what moves while it is looked for is met
 * later.
 */
import { isUnavailable } from '../../../kit/words/failure.ts';
import type { CorridorLog } from '../../domain/corridor.ts';
import { rowIdOf } from '../entries/entry-head.ts';
import { type KafkaClients, readOffsets } from './clients.ts';
import { type Fetcher, openFetcher } from './fetch-records.ts';
import { ALL_PARTITIONS, groupOf, topicsOf } from './topics.ts';

/** Time of one look; what was not found by then is looked for in the next pass. */
const LOOK_MS_MAX = 10_000;

/**
 * Resolves to the rows that are found. While Kafka does not answer, all rows of corridors whose log is Kafka alone count as found, as no
 * other log takes them; other rows are appended to their streams, as Kafka may be gone for good.
 */
export type FindRows = (
  corridor: string,
  rowIds: readonly string[],
) => Promise<ReadonlySet<string>>;

/** @returns a function that is asked about corridors which ever used Kafka */
export function createFindRows(
  clients: KafkaClients,
  market: string,
  logOf: (corridor: string) => CorridorLog,
): FindRows {
  return async (corridor, rowIds) => {
    const missing = new Set(rowIds);
    try {
      await using fetcher = await openFetcher(clients, groupOf(market));
      const { transactions, retries } = topicsOf(market, corridor);
      await readTopic(fetcher, transactions, missing);
      const ends = await readTopic(fetcher, retries, missing);
      await readTopic(fetcher, retries, missing, ends);
    } catch (error) {
      if (isUnavailable(error)) return new Set(logOf(corridor) === 'kafka' ? rowIds : []);
      throw error;
    }
    return new Set(rowIds.filter((rowId) => !missing.has(rowId)));
  };
}

/**
 * Strikes rows off, until all are found or each partition is read to the end that it had.
 * @param begins by partition; by default what the group has committed
 * @returns the ends
 */
async function readTopic(
  fetcher: Fetcher,
  topic: string,
  missing: Set<string>,
  begins?: readonly bigint[],
): Promise<readonly bigint[]> {
  if (missing.size === 0) return [];
  const offsetsOf = await readOffsets(fetcher.consumer, [{ topic, partitions: ALL_PARTITIONS }]);
  const endOf = (partition: number) => offsetsOf(topic, partition).end;
  const positions = new Map(
    ALL_PARTITIONS.map((partition) => {
      const { start, end, begin } = offsetsOf(topic, partition);
      const from = begins?.[partition] ?? begin;
      return [partition, from < start || from > end ? start : from];
    }),
  );
  const lateMs = performance.now() + LOOK_MS_MAX;
  const unread = () =>
    [...positions].filter(([partition, position]) => position < endOf(partition));
  while (missing.size > 0 && unread().length > 0) {
    if (performance.now() > lateMs) {
      missing.clear();
      break;
    }
    const asked = unread().map(([partition, position]) => ({ topic, partition, position }));
    for (const { partition, records, from, next } of await fetcher.fetch(asked)) {
      if (positions.get(partition) !== from) continue;
      for (const { headers } of records) missing.delete(rowIdOf(headers.get('h') ?? null) ?? '');
      positions.set(partition, next);
    }
  }
  return ALL_PARTITIONS.map(endOf);
}
