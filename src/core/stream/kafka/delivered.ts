/**
 * How far workers have read each partition. The group knows only what is done, and what is in hand is no queue: without these
 * notes, which Redis may lose, it counts as waiting.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import { kafkaDeliveredKey } from '../keys.ts';

const EVERY_MS = 1000;
const KEPT_SECONDS = 86_400;

export type DeliveredTo = {
  /** Name of the partition. */
  readonly name: string;
  /** Offset behind the last entry that was read. */
  readonly position: bigint;
  /** Transactions that were read and are not done. */
  readonly transactions: number;
};

/** Notes what a worker has read of its partitions: after each read that brought something, and once a second. Never fails. */
export function createNoteRead(redis: RedisClient, market: string) {
  const key = kafkaDeliveredKey(market);
  let notedMs = Number.NEGATIVE_INFINITY;
  return async (read: () => readonly DeliveredTo[], isMore: boolean): Promise<void> => {
    const nowMs = performance.now();
    if (!isMore && nowMs - notedMs < EVERY_MS) return;
    notedMs = nowMs;
    const fields = read().map(({ name, position, transactions }) => [
      name,
      `${position} ${transactions}`,
    ]);
    if (fields.length === 0) return;
    try {
      await redis.hset(key, Object.fromEntries(fields));
      await redis.expire(key, KEPT_SECONDS);
    } catch {
      // Until the next note what is in hand counts as waiting.
    }
  };
}

/** By partition; none where Redis does not answer. */
export async function readDelivered(
  redis: RedisClient,
  market: string,
): Promise<ReadonlyMap<string, DeliveredTo>> {
  const notes = await redis.hgetall(kafkaDeliveredKey(market)).catch(() => ({}));
  return new Map(
    Object.entries<string>(notes).map(([name, text]) => {
      const [position = '0', transactions = '0'] = text.split(' ');
      return [name, { name, position: BigInt(position), transactions: Number(transactions) }];
    }),
  );
}
