/** When the next batch is read. */
import { expect, test, vi } from 'vitest';
import { createInFlight } from '../../../../src/core/work/in-flight.ts';
import { createIntake } from '../../../../src/core/work/intake.ts';
import { createLanes, shareOfSettings } from '../../../../src/core/work/lanes.ts';
import { entryOf, stream } from './delivered-entries.ts';

const defaultShareOf = shareOfSettings(() => new Map());

const sleeps = vi.hoisted(() => [] as (() => void)[]);
vi.mock('node:timers/promises', () => ({
  setTimeout: () => new Promise<void>((resolve) => sleeps.push(resolve)),
}));

/** Reads one entry of this many transactions, finishes it at once, and requests the next batch. */
async function readTwice(transactions: number) {
  const { signal } = new AbortController();
  const inFlight = createInFlight(signal, () => 0);
  const bounds = { RISK_BATCH_ENTRIES: 1000, RISK_WORKER_READERS: 4 };
  const { main } = createLanes(bounds, defaultShareOf, () => 0, signal);
  const pause = { over: async () => undefined };
  const intake = createIntake(main, defaultShareOf, inFlight, pause, signal);
  const read = vi.fn(async () => [{ stream, entries: [entryOf('1-0', transactions)], total: 0 }]);
  const next = async () => {
    for (const { end } of await intake.next(read)) end();
  };
  await next();
  void next();
  await new Promise(setImmediate);
  const soon = read.mock.calls.length;
  for (const end of sleeps.splice(0)) end();
  await new Promise(setImmediate);
  return { soon, later: read.mock.calls.length };
}

test('behind a small batch the next one gathers for a moment', async () => {
  expect(await readTwice(63)).toEqual({ soon: 1, later: 2 });
});

test('a larger batch is followed at once', async () => {
  expect(await readTwice(64)).toEqual({ soon: 2, later: 2 });
});
