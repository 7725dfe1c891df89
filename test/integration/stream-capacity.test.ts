/**
 * Goal: waiting transactions leave Redis room for profiles and events, and a corridor without workers leaves room for
 * others. Method: a real Redis with a small maxmemory, and streams that producers fill until they refuse.
 */
import { beforeEach, expect, test } from 'vitest';
import { createProducer } from '../../src/core/stream/entries/producer.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { createStreamRooms, shareRoom } from '../../src/core/stream/memory/memory.ts';
import { takeEntries } from '../support/stream-entries.ts';
import { createStreamRig, payload } from '../support/stream-rig.ts';

const MB = 2 ** 20;
const MAX_BYTES = 12 * MB;
const ENTRIES_MAX = 500_000;
const { redis } = createStreamRig();
const streamOf = (corridor: string) => streamKeys('m', corridor, 0);
const CORRIDORS = ['US-EG', 'US-MX', 'US-PH'];

beforeEach(async () => {
  await redis().config('SET', 'maxmemory', String(MAX_BYTES));
  return () => redis().config('SET', 'maxmemory', '0');
});

function open(fill?: number) {
  const options = { redis: redis(), transactionsMax: ENTRIES_MAX, ...(fill && { fill }) };
  const rooms = createStreamRooms({
    ...options,
    listStreams: async () => CORRIDORS.map(streamOf),
  });
  // Measures at each append, so that no test depends on the age of a measurement.
  const transactionsMax = rooms.measure;
  return {
    rooms,
    producer: createProducer({ redis: redis(), market: 'm', shardsOf: () => 1, transactionsMax }),
  };
}

/** Appends pages until one is refused; returns how many were appended. */
async function fillUp({ producer }: ReturnType<typeof open>, corridor: string): Promise<number> {
  const page = Array.from({ length: 1000 }, (_, n) => payload(n, { corridor }));
  for (let appended = 0; ; ) {
    const left = await producer.append(page);
    appended += page.length - left.length;
    if (left.length > 0) return appended;
  }
}

async function share(corridors: readonly string[]): Promise<number> {
  const sizes = corridors.map((one) =>
    redis().memory('USAGE', streamOf(one).transactions, 'SAMPLES', 0),
  );
  return (
    (await Promise.all(sizes)).reduce<number>((sum, bytes) => sum + (bytes ?? 0), 0) / MAX_BYTES
  );
}

test('one corridor fills eight ninths of the share, and the reconciler a tenth more', async () => {
  await fillUp(open(), 'US-EG');
  const filled = await share(['US-EG']);
  expect(filled).toBeGreaterThan(0.25);
  expect(filled).toBeLessThan(0.28);
  expect(await fillUp(open(1.1), 'US-EG')).toBeGreaterThan(1000);
  expect(await share(['US-EG'])).toBeLessThan(0.3);
});

test('corridors without workers leave room for every other one, and never exceed the share', async () => {
  const opened = open();
  for (const corridor of CORRIDORS) {
    // The last corridor takes about 590; an append that does not count its own bytes leaves it less than the bound.
    expect(await fillUp(opened, corridor)).toBeGreaterThan(550);
  }
  expect(await share(CORRIDORS)).toBeLessThan(0.31);
  // Entries that its workers have taken make room for new ones, although the other streams are full.
  const taken = await takeEntries(redis(), streamOf('US-PH'), 4);
  expect(taken.length).toBeGreaterThan(100);
  expect(await fillUp(opened, 'US-PH')).toBeGreaterThan(100);
});

test('a twentieth is left for waiting transactions where profiles fill Redis', async () => {
  const profiles = 'x'.repeat(MB);
  for (let n = 0; n < 7; n++) await redis().set(`{m:p00}:account:${n}`, profiles);
  await fillUp(open(), 'US-EG');
  const filled = await share(['US-EG']);
  expect(filled).toBeGreaterThan(0.04);
  expect(filled).toBeLessThan(0.06);
});

test("beside a backlog that has all of its server's share, a quiet stream has its even part, and another server has room", () => {
  const size = (stream: string, server: string, bytes: number) =>
    ({ stream, server, bytes, total: bytes / 100 }) as const;
  const nodeOf = (usedBytes: number) => ({ usedBytes, maxBytes: 10 * MB });
  const sizes = [size('a', '1', 4 * MB), size('b', '2', 100), size('c', '1', 100)];
  const nodes = new Map([
    ['1', nodeOf(4 * MB)],
    ['2', nodeOf(100)],
  ]);
  const rooms = shareRoom(sizes, nodes, ENTRIES_MAX);
  const owed = shareRoom(sizes, nodes, ENTRIES_MAX, 1.1);
  expect(rooms.get('a')?.transactionsMax).toBeLessThan(40_000);
  expect(rooms.get('b')?.transactionsMax).toBeGreaterThan(20_000);
  // Two streams have even parts of a twentieth.
  expect(rooms.get('c')?.transactionsMax).toBe(Math.floor((0.05 * 10 * MB) / 2 / 100));
  expect(owed.get('c')?.transactionsMax).toBe(Math.floor((1.1 * 0.05 * 10 * MB) / 2 / 100));
});
