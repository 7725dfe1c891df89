/**
 * Goal: a failed duty is repeated soon, however rare it is, and not too often. Method: a duty of every hour
 * that fails once.
 */
import { expect, test } from 'vitest';
import { runMaintenance, untilTickMs, waitMs } from '../../../../src/kit/duties/run-duties.ts';
import { silentLog } from '../../../support/config.ts';

const HOUR_MS = 3_600_000;

test('a duty of every hour that fails is done a moment later', async () => {
  const stop = new AbortController();
  const { promise: done, resolve } = Promise.withResolvers<string>();
  let runs = 0;
  const duty = {
    ...{ name: 'hourly', everyMs: HOUR_MS },
    async run() {
      runs += 1;
      if (runs === 1) throw new Error('no connection was free');
      resolve('done');
    },
  };
  const ended = runMaintenance([duty], stop.signal, silentLog());
  const deadline = setTimeout(resolve, 30_000, 'not done');
  expect(await done).toBe('done');
  clearTimeout(deadline);
  stop.abort();
  await ended;
});

test('the wait doubles up to half a minute, and is never longer than that of a duty in order', () => {
  const waits = (everyMs: number) => [0, 1, 2, 3, 7, 2000].map((n) => waitMs({ everyMs }, n));
  expect(waits(HOUR_MS)).toEqual([HOUR_MS, 500, 1000, 2000, 30_000, 30_000]);
  expect(waits(200)).toEqual([200, 200, 200, 200, 200, 200]);
});

test('duties begin together at ticks, never before their interval has passed; short intervals need no tick', () => {
  const at = (ms: number, nowMs: number) => nowMs + untilTickMs(ms, nowMs);
  expect([at(200, 1000), at(200, 1001), at(500, 730), at(500, 799)]).toEqual([
    1200, 1300, 1300, 1300,
  ]);
  expect(untilTickMs(20, 1001)).toBe(20);
});
