import { expect, test } from 'vitest';
import { DEFAULT_SETTINGS } from '../../../../src/core/domain/corridor-settings.ts';
import { countsFrom, formerShards, layoutOf, MOVE_MS } from '../../../../src/core/domain/layout.ts';
import { SHARDS_MAX, shardOf } from '../../../../src/core/stream/keys.ts';

const COUNTS = countsFrom(1, SHARDS_MAX);
const moves = COUNTS.flatMap((from) =>
  countsFrom(from, SHARDS_MAX).map((to): [from: number, to: number] => [from, to]),
);

test.each(moves)('from %i to %i a stream waits for those that its accounts leave', (from, to) => {
  const sources = Array.from({ length: SHARDS_MAX }, () => new Set<number>());
  for (let n = 0; n < 2000; n++) {
    const [before, after] = [shardOf(`acc_${n}`, from), shardOf(`acc_${n}`, to)];
    if (before !== after) sources[after]?.add(before);
  }
  const waiting = sources.map((_, shard) => formerShards({ from, to }, shard));
  expect(waiting.map((one) => one.toSorted())).toEqual(sources.map((one) => [...one].toSorted()));
  // No stream waits for one that waits.
  for (const shard of waiting.flat()) expect(waiting[shard]).toEqual([]);
});

test('a count divides the present one, or is a multiple of it', () => {
  expect(countsFrom(4, SHARDS_MAX)).toEqual([1, 2, 4, 8, 12, 16]);
  expect(countsFrom(6, SHARDS_MAX)).toEqual([1, 2, 3, 6, 12]);
});

test('producers act on a move a while after it by the clock of Postgres', () => {
  const [movedAtMs, aheadMs] = [1e12, 9e11];
  const settings = new Map([
    ['US-EG', { ...DEFAULT_SETTINGS, shards: 4, moved: { from: 16, atMs: movedAtMs } }],
    ['US-MX', { ...DEFAULT_SETTINGS, shards: 2 }],
  ]);
  let elapsedMs = movedAtMs - aheadMs + MOVE_MS.append - 1;
  const layout = layoutOf(
    () => ({ settings, clockMs: aheadMs }),
    () => elapsedMs,
  );
  const counts = () => ['US-EG', 'US-MX', 'GB-NG'].map((one) => layout.shardsOf(one));
  expect(counts()).toEqual([16, 2, 1]);
  elapsedMs += 1;
  expect(counts()).toEqual([4, 2, 1]);
  expect(layout.moveOf('US-EG')).toMatchObject({ from: 16, to: 4, ageMs: MOVE_MS.append });
  expect(layout.moveOf('US-MX')).toBeNull();
});
