/** The streams that each lane reads, and the room that a drain leaves. */
import { expect, test } from 'vitest';
import type { EntryOrigin } from '../../../../src/core/stream/entries/entry-head.ts';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import { createLanes, shareOfSettings } from '../../../../src/core/work/lanes.ts';
import { entryOf } from './delivered-entries.ts';

const defaultShareOf = shareOfSettings(() => new Map());

const [flooded, quiet] = ['US-EG', 'US-MX'].map((corridor) => streamKeys('m', corridor, 0)) as [
  ReturnType<typeof streamKeys>,
  ReturnType<typeof streamKeys>,
];
const all = [flooded, quiet];
const LONG = new Map([[flooded, 200_000]]);
const EMPTY = new Map();

function lanes(shareOf = defaultShareOf) {
  const stop = new AbortController();
  const clock = { nowMs: 0 };
  const bounds = { RISK_BATCH_ENTRIES: 1000, RISK_WORKER_READERS: 4 };
  const made = createLanes(bounds, shareOf, () => clock.nowMs, stop.signal);
  const batch = (transactions: number, of = flooded, origin: EntryOrigin = 'ingest') => [
    { entries: [entryOf('1-0', transactions, of, origin)], end: () => undefined },
  ];
  return { ...made, clock, stop, batch };
}

/** A drain that began a second ago. */
async function split({ main, express, clock }: ReturnType<typeof lanes>) {
  main.noteRead(all, LONG);
  await express.ready(() => all);
  clock.nowMs += 1000;
}

const room = ({ main }: ReturnType<typeof lanes>) => [main.transactionsMax(), main.batchesMax(1)];
const [WHOLE, SHORT] = [
  [1000, 4],
  [300, 1],
];

test('a long backlog is read by the main lane alone, until it is gone', async () => {
  const made = lanes();
  await split(made);
  expect(made.main.choose(all)).toEqual([flooded]);
  expect(made.express.choose(all)).toEqual([quiet]);
  made.main.noteRead([flooded], new Map([[flooded, 500]]));
  expect(made.main.choose(all)).toEqual([flooded]);
  made.main.noteRead([flooded], EMPTY);
  expect(made.main.choose(all)).toEqual(all);
});

test('a stream that falls behind beside a drain joins it, and counts as busy for ten seconds', async () => {
  const made = lanes();
  await split(made);
  made.express.noteBegun(made.batch(1, quiet));
  made.express.noteRead([quiet], new Map([[quiet, 999]]));
  expect(made.express.choose(all)).toEqual([quiet]);
  expect(made.main.transactionsMax()).toBe(300);
  made.express.noteRead([quiet], new Map([[quiet, 1000]]));
  expect([made.main.choose(all), made.express.choose(all)]).toEqual([all, []]);
  expect(room(made)).toEqual(WHOLE);
  made.main.noteRead(all, LONG);
  made.clock.nowMs = 11_000;
  expect(made.express.choose(all)).toEqual([]);
  made.main.noteRead(all, LONG);
  made.clock.nowMs = 11_001;
  expect(made.express.choose(all)).toEqual([quiet]);
});

test('transactions that take long make batches of fewer, down to a bound', async () => {
  const made = lanes(() => ({ weight: 1, floor: 0 }));
  await split(made);
  made.express.noteBegun(made.batch(1, quiet));
  for (let n = 0; n < 50; n++) made.main.noteWorked(made.batch(250), 100);
  expect(made.main.transactionsMax()).toBe(125);
  for (let n = 0; n < 50; n++) made.main.noteWorked(made.batch(100), 400);
  expect(made.main.transactionsMax()).toBe(100);
});

test('a quiet stream keeps a drain company by what is posted to it, not by what the reconciler appends', async () => {
  const made = lanes();
  await split(made);
  made.express.noteBegun(made.batch(1, quiet, 'reconciled'));
  expect(room(made)).toEqual(WHOLE);
  made.express.noteBegun(made.batch(1, quiet));
  expect(room(made)).toEqual(SHORT);
});

test('a drain begins with short batches, as traffic of other corridors is not known yet', async () => {
  const made = lanes();
  await split(made);
  made.clock.nowMs = 999;
  expect(room(made)).toEqual(SHORT);
  made.clock.nowMs = 1000;
  expect(room(made)).toEqual(WHOLE);
  // The drain ends and goes on.
  made.main.noteRead([flooded], EMPTY);
  made.main.noteRead([flooded], LONG);
  expect(room(made)).toEqual(WHOLE);
});

test('a post to a quiet stream before a drain shortens batches of the drain for ten seconds', async () => {
  const made = lanes();
  made.main.noteBegun(made.batch(1, quiet));
  await split(made);
  made.clock.nowMs = 10_000;
  expect(room(made)).toEqual(SHORT);
  made.clock.nowMs = 10_001;
  expect(room(made)).toEqual(WHOLE);
});

test('a drain rests after each batch by the floors of corridors that have traffic', async () => {
  const made = lanes(() => ({ weight: 1, floor: 0.2 }));
  await split(made);
  made.main.noteWorked(made.batch(300), 40);
  const rested = made.main.rested();
  // Without company the drain goes on at once, whatever the machine does meanwhile.
  expect(await Promise.race([rested.then(() => 'rested'), atOnce()])).toBe('rested');
  made.express.noteBegun(made.batch(1, quiet));
  // The rest counts from the batch that was noted, so the test's clock starts before that batch.
  const began = performance.now();
  made.main.noteWorked(made.batch(300), 400);
  await made.main.rested();
  expect(performance.now() - began).toBeGreaterThan(95);
});

/** Resolves after all promises that have resolved already. */
async function atOnce(): Promise<string> {
  for (let turns = 0; turns < 10; turns++) await Promise.resolve();
  return 'waited';
}
