/** Between heavy pieces of work the event loop handles its sockets. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createCpuQueue } from '../../../../../src/kit/http/body/cpu-queue.ts';

test('the first turn is given at once, the others one a turn of the loop, in order', async () => {
  const waitForCpu = createCpuQueue(1);
  const done: number[] = [];
  for (const n of [1, 2, 3]) void waitForCpu().then(() => done.push(n));
  await Promise.resolve();
  await Promise.resolve();
  expect(done).toEqual([1]);
  await nextTurn();
  expect(done).toEqual([1, 2]);
  await nextTurn();
  expect(done).toEqual([1, 2, 3]);
});
