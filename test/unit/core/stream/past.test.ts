import { expect, test } from 'vitest';
import { SHARDS_MAX, shardOf, streamKeys } from '../../../../src/core/stream/keys.ts';

const RECEIVED_MS = Date.UTC(2026, 10, 29);
const HOUR_MS = 3_600_000;

test('a transaction that is older than an hour when it comes waits apart from live ones, in the past of its shard', () => {
  const placed = (ageMs: number) =>
    shardOf({ accountId: 'acc_1', createdAtMs: RECEIVED_MS - ageMs }, RECEIVED_MS, 4);
  const live = placed(HOUR_MS);
  expect(live).toBeLessThan(SHARDS_MAX);
  expect(placed(HOUR_MS + 1)).toBe(SHARDS_MAX + live);
  const [shard, past] = [live, SHARDS_MAX + live].map((n) => streamKeys('m', 'US-EG', n));
  const { corridor, deadLetters, scored } = { ...shard };
  expect(past).toEqual({
    ...{ corridor, deadLetters, scored, shard: SHARDS_MAX + live },
    transactions: `{m:US-EG:${live}}:past`,
    counts: `{m:US-EG:${live}}:past-counts`,
    retries: `{m:US-EG:${live}}:past-retries`,
  });
});
