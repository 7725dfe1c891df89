/**
 * Goal: events and copies of dead letters of all streams stay within one budget, the newest longest. Method: streams
 * filled by hand on a real Redis, one for the file, emptied before each test.
 */
import { afterEach, expect, test } from 'vitest';
import { type StreamKeys, streamKeys } from '../../src/core/stream/keys.ts';
import { boundEvents } from '../../src/core/stream/memory/bound-events.ts';
import { createStreamRig, marketIn } from '../support/stream-rig.ts';

const { redis } = createStreamRig();
const MB = 2 ** 20;
const DAY_MS = 86_400_000;
const streams = [0, 1, 2].map((shard) => streamKeys('m', 'US-EG', shard));
const [first, second, third] = streams as [StreamKeys, StreamKeys, StreamKeys];
const VALUE = 'x'.repeat(10_000);

afterEach(async () => {
  await redis().config('SET', 'maxmemory', '0');
});

async function fill(key: string, count: number, value = VALUE): Promise<void> {
  const pipeline = redis().pipeline();
  for (let n = 0; n < count; n++) pipeline.xadd(key, '*', 'n', String(n), 'value', value);
  await pipeline.exec();
}
const used = async () => Number(/used_memory:(\d+)/.exec(await redis().info('memory'))?.[1]);
const lengths = (keys: readonly string[]) => Promise.all(keys.map((key) => redis().xlen(key)));

test('the budget over events and copies of dead letters drops the oldest of the largest streams, and says how many bytes', async () => {
  await fill(first.scored, 300);
  await fill(second.scored, 10);
  await fill(third.deadLetters, 200);
  const { left, dropped } = await boundEvents(marketIn(redis(), MB), streams);
  expect(left.scored + left.dead_letters).toBeLessThan(MB);
  expect(left.scored + left.dead_letters).toBeGreaterThan(0.7 * MB);
  expect(dropped.scored + left.scored).toBeGreaterThan(310 * VALUE.length);
  expect(dropped.dead_letters + left.dead_letters).toBeGreaterThan(200 * VALUE.length);
  const keys = [first.scored, second.scored, third.deadLetters];
  const [large = 0, small, copies = 0] = await lengths(keys);
  expect(small).toBe(10);
  expect(Math.abs(large - copies)).toBeLessThan(5);
  const [[, newest] = ['', []]] = await redis().xrevrange(first.scored, '+', '-', 'COUNT', 1);
  expect(newest[1]).toBe('299');
});

test('the budget over events and copies of dead letters is a tenth of the memory at most; nearly full memory drops both, and has no room for events', async () => {
  await fill(first.scored, 300);
  await fill(second.deadLetters, 100);
  const market = marketIn(redis(), 64 * MB);
  await redis().config('SET', 'maxmemory', String(10 * MB));
  const { left } = await boundEvents(market, streams);
  expect(left.scored + left.dead_letters).toBeLessThan(MB);
  expect(market.memory.hasEventRoom).toBe(true);
  await redis().config('SET', 'maxmemory', String(Math.round((await used()) / 0.9)));
  expect((await boundEvents(market, streams)).left).toEqual({ scored: 0, dead_letters: 0 });
  expect(await lengths([first.scored, second.deadLetters])).toEqual([0, 0]);
  expect(market.memory.hasEventRoom).toBe(false);
  await redis().config('SET', 'maxmemory', '0');
  await boundEvents(market, streams);
  expect(market.memory.hasEventRoom).toBe(true);
  expect(marketIn(redis(), 0).memory.hasEventRoom).toBe(false);
});

test('the budget over events and copies of dead letters keeps events for seven days, and for a day more where nobody looks after them', async () => {
  const old = Date.now() - 7 * DAY_MS;
  await redis().xadd(first.scored, `${old - 60_000}-0`, 'n', '1');
  await redis().xadd(first.scored, `${old + 60_000}-0`, 'n', '1');
  await fill(first.deadLetters, 1);
  const market = marketIn(redis(), MB);
  await boundEvents(market, streams);
  await boundEvents(market, streams);
  const left = await redis().xrange(first.scored, '-', '+');
  expect(left.map(([id]) => id)).toEqual([`${old + 60_000}-0`]);
  expect(await redis().pttl(first.scored)).toBeGreaterThan(7 * DAY_MS);
  expect(await redis().pttl(first.deadLetters)).toBe(-1);
});
