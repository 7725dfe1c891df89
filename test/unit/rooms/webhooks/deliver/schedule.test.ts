/** Goal: attempts follow the schedule of Standard Webhooks, a little later by chance, and end. */
import { expect, test } from 'vitest';
import {
  RETRY_AFTER_MS_MAX,
  retryWaitMs,
} from '../../../../../src/rooms/webhooks/deliver/attempt.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
/** Written again, as the proposal has it. */
const PROPOSED = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  ...[2, 5, 10, 14, 20, 24].map((hours) => hours * HOUR_MS),
];

test('ten attempts follow the proposal, and the tenth is the last', () => {
  const waits = Array.from({ length: 10 }, (_, index) => retryWaitMs(index + 1, 0, null));
  expect(waits).toEqual([...PROPOSED, null]);
});

test('a receiver may ask for a longer wait, within a bound, and for no shorter one', () => {
  expect(retryWaitMs(1, 0, MINUTE_MS)).toBe(MINUTE_MS);
  expect(retryWaitMs(2, 0, SECOND_MS)).toBe(5 * MINUTE_MS);
  expect(retryWaitMs(1, 0, 365 * 24 * HOUR_MS)).toBe(RETRY_AFTER_MS_MAX);
  expect(retryWaitMs(10, 0, SECOND_MS)).toBeNull();
});
