/**
 * Goal: a large batch waits for room in a full stream, for a moment and alone; what is small, and a stream in which nothing moves,
 * is left to the reconciler at once. Method: a producer on a real Redis, whose questions for room are counted.
 */
import { beforeEach, expect, test } from 'vitest';
import { createTryAppend } from '../../src/ingest/append-entries.ts';
import type { Breaker } from '../../src/runtime/breaker.ts';
import { createProducer } from '../../src/stream/entries/producer.ts';
import { streamKeys } from '../../src/stream/keys.ts';
import { readEntries, takeEntries } from '../support/stream-entries.ts';
import { createStreamRig, payload } from '../support/stream-rig.ts';
import { waitUntil } from '../support/wait-until.ts';

const ENTRIES_MAX = 1000;
const DEADLINE_MS = 10_000;
/** Breakers that never open. */
const closed = { state: () => 'closed', run: (call: () => unknown) => call() } as Breaker;

const { redis } = createStreamRig();
const streamOf = (corridor: string) => streamKeys('m', corridor, 0);
const batch = (corridor: string, count: number) =>
  Array.from({ length: count }, (_, n) => payload(n, { corridor }));
const held = async (corridor: string) =>
  (await readEntries(redis(), streamOf(corridor).transactions)).length;

let asked: number;
let full: number;
const open = () => {
  const producer = createProducer({
    ...{ redis: redis(), market: 'm', shards: 1, transactionsMax: ENTRIES_MAX },
  });
  const counting = {
    ...producer,
    hasRoom: (payloads: Parameters<typeof producer.hasRoom>[0]) => {
      asked++;
      return producer.hasRoom(payloads);
    },
  };
  const breakers = { redis: closed, streamsOf: () => closed };
  return createTryAppend(counting, breakers, { inc: () => full++ });
};
beforeEach(() => {
  [asked, full] = [0, 0];
});

test('a large batch is in its streams once workers have made room', async () => {
  const tryAppend = open();
  expect(await tryAppend(batch('US-EG', ENTRIES_MAX))).toEqual([]);
  const waiting = tryAppend([...batch('US-EG', 300), ...batch('US-MX', 2)], 'large');
  await waitUntil(() => asked > 0, DEADLINE_MS, 'the batch to ask for room');
  expect(await held('US-MX')).toBe(2);
  const taken = await takeEntries(redis(), streamOf('US-EG'), 4);
  expect(taken.length).toBeGreaterThanOrEqual(300);
  expect(await waiting).toEqual([]);
  expect(await held('US-EG')).toBe(ENTRIES_MAX - taken.length + 300);
  expect(full).toBe(0);
});

test('a small one leaves what is refused at once', async () => {
  const tryAppend = open();
  await tryAppend(batch('US-EG', ENTRIES_MAX));
  expect(await tryAppend(batch('US-EG', 5))).toHaveLength(5);
  expect({ asked, full }).toEqual({ asked: 0, full: 1 });
});

test('a stream in which nothing moves is not waited for again, until it has taken a batch', async () => {
  const tryAppend = open();
  await tryAppend(batch('US-EG', ENTRIES_MAX));
  expect(await tryAppend(batch('US-EG', 300), 'large')).toHaveLength(300);
  expect(asked).toBeGreaterThan(0);
  asked = 0;
  expect(await tryAppend(batch('US-EG', 300), 'large')).toHaveLength(300);
  expect(asked).toBe(0);
  await takeEntries(redis(), streamOf('US-EG'), ENTRIES_MAX);
  expect(await tryAppend(batch('US-EG', ENTRIES_MAX), 'large')).toEqual([]);
  expect(await tryAppend(batch('US-EG', 300), 'large')).toHaveLength(300);
  expect(asked).toBeGreaterThan(0);
});
