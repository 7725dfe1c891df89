/** How many requests a client may send, and the `Retry-After` beyond that. */
import { expect, test } from 'vitest';
import { BURST_SECONDS, createRateLimit } from '../../../../../src/kit/http/auth/strangers.ts';

const RATE = 5;
const FULL = RATE * BURST_SECONDS;

function open() {
  let nowMs = 1_000_000;
  const { take, giveBack } = createRateLimit(RATE, () => nowMs);
  const pass = (ms: number) => {
    nowMs += ms;
  };
  /** Requests that a bucket gives at once. */
  const drain = () =>
    Array.from({ length: 2 * FULL }, () => take('a')).filter((s) => s === 0).length;
  return { take, giveBack, pass, drain };
}

test('a bucket holds some seconds of the rate, and tells when it holds a request again', () => {
  const { take, drain } = open();
  expect(drain()).toBe(FULL);
  expect(take('a')).toBe(1);
  expect(take('b')).toBe(0);
});

test('it is refilled at the rate, and never beyond its size', () => {
  const { take, pass, drain } = open();
  drain();
  pass(199);
  expect(take('a')).toBe(1);
  pass(1);
  expect([take('a'), take('a')]).toEqual([0, 1]);
  pass(3_600_000);
  expect(drain()).toBe(FULL);
});

test('what is given back is there again, and never beyond its size', () => {
  const { take, giveBack, drain } = open();
  drain();
  giveBack('a');
  expect([take('a'), take('a')]).toEqual([0, 1]);
  for (let n = 0; n < 2 * FULL; n++) giveBack('a');
  expect(drain()).toBe(FULL);
  giveBack('nobody');
});
