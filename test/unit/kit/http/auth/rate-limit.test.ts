/** How many requests a client may send, and the `Retry-After` beyond that. */
import { expect, test } from 'vitest';
import { BURST_SECONDS, createRateLimit } from '../../../../../src/kit/http/auth/rate-limit.ts';

const RATE = 5;
const FULL = RATE * BURST_SECONDS;

function open() {
  let nowMs = 1_000_000;
  const { take, giveBack } = createRateLimit(RATE, () => nowMs);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  const drain = () => Array.from({ length: FULL }, () => take('a').isAllowed);
  return { take, giveBack, pass, drain };
}

test('a bucket holds some seconds of the rate, and tells what is left', () => {
  const { take, drain } = open();
  expect(take('a')).toEqual({ isAllowed: true, remaining: FULL - 1, waitSeconds: 1 });
  expect(drain()).toEqual([...new Array(FULL - 1).fill(true), false]);
  expect(take('a')).toEqual({ isAllowed: false, remaining: 0, waitSeconds: 1 });
});

test('it is refilled at the rate, and never beyond its size', () => {
  const { take, pass, drain } = open();
  drain();
  pass(199);
  expect(take('a').isAllowed).toBe(false);
  pass(1);
  expect(take('a')).toEqual({ isAllowed: true, remaining: 0, waitSeconds: BURST_SECONDS });
  expect(take('a').isAllowed).toBe(false);
  pass(3_600_000);
  expect(take('a').remaining).toBe(FULL - 1);
});

test('what is given back is there again, and never beyond its size', () => {
  const { take, giveBack, drain } = open();
  drain();
  giveBack('a');
  expect([take('a').isAllowed, take('a').isAllowed]).toEqual([true, false]);
  for (let n = 0; n < 2 * FULL; n++) giveBack('a');
  expect(take('a').remaining).toBe(FULL - 1);
  giveBack('nobody');
});
