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
import { COUNT_MAX } from '../entries/entry.ts';
import { GROUP, SHARDS_MAX, type StreamKeys, streamKeys } from '../keys.ts';

export const PARTITIONS = SHARDS_MAX;
export const ALL_PARTITIONS = Array.from({ length: PARTITIONS }, (_, partition) => partition);

export type Topics = {
  readonly transactions: string;
  readonly retries: string;
  readonly deadLetters: string;
  readonly scored: string;
};

export function topicsOf(market: string, corridor: string): Topics {
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

/** The key of records: the account's shard, as the partition. */
export const keyOf = ({ corridor, shard }: Pick<StreamKeys, 'corridor' | 'shard'>): string =>
  `${corridor}:${shard}`;

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
