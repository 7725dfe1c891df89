/** When the next batch is read. */
import { expect, test, vi } from 'vitest';
import { streamKeys } from '../../../../src/core/stream/keys.ts';
import { createInFlight } from '../../../../src/core/work/in-flight.ts';
import { createIntake } from '../../../../src/core/work/intake.ts';

const sleeps = vi.hoisted(() => [] as (() => void)[]);
vi.mock('node:timers/promises', () => ({
  setTimeout: () => new Promise<void>((resolve) => sleeps.push(resolve)),
}));

/** Reads one entry of this many transactions, finishes it at once, and requests the next batch. */
async function readTwice(transactions: number) {
  const { signal } = new AbortController();
  const inFlight = createInFlight(signal, () => 0);
  const pause = { over: async () => undefined, hold: async () => undefined, end: () => undefined };
  const bounds = { batchTransactions: 1000, readers: 4 };
  const intake = createIntake(bounds, inFlight, pause, signal);
  const entry = { id: '1-0', version: '2', head: null, packed: null, transactions };
  const delivered = { ...entry, deleted: false, deliveries: 1, carried: 0 };
  const stream = streamKeys('default', 'DE-FR', 0);
  const read = vi.fn(async () => [{ stream, entries: [delivered], held: 0 }]);
  const next = async () => {
    for (const { letGo } of await intake.next('one', read)) letGo();
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
