/**
 * Every topic of the engine in Kafka; none is spelled anywhere else. A topic has a partition for each shard that a corridor may
 * have, so the partition of an entry is the shard of its stream, and an account stays in one partition.
 *
 * | topic                              | holds                                       | written by          |
 * |------------------------------------|---------------------------------------------|---------------------|
 * | MARKET.CORRIDOR.transactions       | entries, as in the stream                   | producer, replay    |
 * | MARKET.CORRIDOR.retries            | entries of one that failed, until due       | settle              |
 * | MARKET.CORRIDOR.dead-letters       | a copy of the dead letters                  | settle              |
 * | MARKET.CORRIDOR.transaction-scored | transaction.scored events, as JSON          | settle              |
 */

import { Failure } from '../../../kit/words/failure.ts';
import { COUNT_MAX } from '../entries/entry.ts';
import { GROUP, SHARDS_MAX, type StreamKeys, streamKeys } from '../keys.ts';
import { type KafkaClients, within } from './clients.ts';

export const PARTITIONS = SHARDS_MAX;
export const ALL_PARTITIONS = Array.from({ length: PARTITIONS }, (_, partition) => partition);

export type Topics = ReturnType<typeof topicsOf>;

const CORRIDOR = /^[^.]+\.([A-Z]{2}-[A-Z]{2})\./;

export function topicsOf(market: string, corridor: string) {
  const prefix = `${market}.${corridor}`;
  return {
    transactions: `${prefix}.transactions`,
    retries: `${prefix}.retries`,
    deadLetters: `${prefix}.dead-letters`,
    scored: `${prefix}.transaction-scored`,
  };
}

/** The one consumer group of a market's workers. */
export const groupOf = (market: string): string => `${market}.${GROUP}`;

/**
 * A partition as the stream of its entries.
 * @param prefix of its name in dead letters and logs
 */
export function partitionKeys(
  market: string,
  prefix: string,
  { corridor, topic, partition }: { corridor: string; topic: string; partition: number },
): StreamKeys {
  return {
    ...streamKeys(market, corridor, partition),
    transactions: `${prefix}${topic}/${partition}`,
  };
}

/** Transactions of a record; 1 where its headers do not say. */
export function transactionsOf(headers: ReadonlyMap<string, string>): number {
  const count = Number(headers.get('n'));
  return Number.isInteger(count) && count >= 1 && count <= COUNT_MAX ? count : 1;
}

/** Finds the topics of a market among all topics. */
export function topicsOfMarket(market: string, topics: readonly string[]): string[] {
  return topics.filter((topic) => {
    const [, corridor = ''] = CORRIDOR.exec(topic) ?? [];
    return Object.values(topicsOf(market, corridor)).includes(topic);
  });
}

/**
 * Removes both. Groups of other readers of the events stay.
 * @returns how many topics there were
 * @throws Failure where workers of the market are in the group
 */
export async function removeTopics(
  clients: Pick<KafkaClients, 'administer'>,
  market: string,
): Promise<number> {
  return await clients.administer(async (admin) => {
    const group = groupOf(market);
    if ((await within(admin.listGroups())).has(group)) {
      const { members } =
        (await within(admin.describeGroups({ groups: [group] }))).get(group) ?? {};
      if (members !== undefined && members.size > 0) {
        const why = `${members.size} members of the group ${group} read Kafka: end the workers of ${market}, then --continue`;
        throw new Failure('conflict', 'KAFKA_IN_USE', why);
      }
      await within(admin.deleteGroups({ groups: [group] }));
    }
    const topics = topicsOfMarket(market, await within(admin.listTopics()));
    if (topics.length > 0) await within(admin.deleteTopics({ topics }));
    return topics.length;
  });
}
