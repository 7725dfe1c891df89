/** Goal: long work gives way, and its result does not depend on where. Method: work that counts turns of the event loop. */
import { expect, test } from 'vitest';
import { atOnce, inSlices, type Sliced } from '../../../../src/kit/process/pauses.ts';

/** Adds numbers, each of which takes 2 ms. */
function* adding(numbers: readonly number[], seen: () => void): Sliced<number> {
  let sum = 0;
  for (const number of numbers) {
    const beganMs = performance.now();
    while (performance.now() - beganMs < 2);
    sum += number;
    seen();
    yield;
  }
  return sum;
}
const NUMBERS = Array.from({ length: 30 }, (_, nth) => nth);

test('work in slices and work at once have the same result', async () => {
  const work = () => adding(NUMBERS, () => undefined);
  expect(await inSlices(work())).toBe(atOnce(work()));
});

test('few pieces of 2 ms run between two turns of the event loop', async () => {
  let [pieces, most] = [0, 0];
  let isOver = false;
  const turn = () => {
    most = Math.max(most, pieces);
    pieces = 0;
    if (!isOver) setImmediate(turn);
  };
  turn();
  await inSlices(adding(NUMBERS, () => pieces++));
  isOver = true;
  expect(most).toBeGreaterThan(0);
  expect(most).toBeLessThanOrEqual(3);
});
