/**
 * Entries of Kafka whose version this worker does not read. As a partition has one worker, they go on in the stream of their
 * corridor, where a worker that reads them claims them. What the stream has no room for, or fails to take, is in an open row.
 */
import type { RedisClient } from '../../../kit/redis/connection.ts';
import type { StreamEntry } from '../group/read-group.ts';
import { streamKeys } from '../keys.ts';
import { loadScript, runOnStreams } from '../scripts.ts';

const script = loadScript('append-2');

/**
 * @param transactionsMax of one stream
 * @throws Failure
 */
export async function moveToStreams(
  redis: RedisClient,
  market: string,
  transactionsMax: number,
  entries: readonly StreamEntry[],
): Promise<void> {
  const calls = entries.map(({ stream, version, transactions: count, head, packed }) => {
    const { transactions, counts } = streamKeys(market, stream.corridor, stream.shard);
    const fields = [count, head ?? '', packed ?? ''];
    return { keys: [transactions, counts], args: [transactionsMax, version ?? '', ...fields] };
  });
  await runOnStreams(redis, script, calls);
}
