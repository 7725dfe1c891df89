/** Goal: a model is suspended by several bad calls, not by one, and comes back without flapping. Method: a clock that the test moves. */
import { expect, test } from 'vitest';
import { createModelHealth } from '../../../../../src/rooms/models/judge/judge-batch.ts';

const GOOD = { tookMs: 1, isFailed: false };
const FAILED = { tookMs: 1, isFailed: true };
const SLOW = { tookMs: 501, isFailed: false };
const VERY_SLOW = { tookMs: 2001, isFailed: false };

function start() {
  let nowMs = 0;
  const health = createModelHealth(() => nowMs);
  return {
    health,
    pass: (ms: number) => {
      nowMs += ms;
    },
    /** The result of the last call. */
    note: (call: typeof GOOD, times = 1) =>
      Array.from({ length: times }, () => health.note(call)).at(-1),
  };
}

test.each([
  ['errors', FAILED],
  ['slow calls', SLOW],
])('the health of a model suspends after three %s, and not after two', (_, bad) => {
  const { health, note } = start();
  note(bad, 2);
  expect(health.mayRun()).toBe(true);
  note(bad);
  expect([health.mayRun(), health.isSuspended()]).toEqual([false, true]);
});

test('the health of a model bears up to five percent', () => {
  const { health, note } = start();
  note(GOOD, 97);
  note(FAILED, 5);
  expect(health.mayRun()).toBe(true);
  note(FAILED);
  expect(health.mayRun()).toBe(false);
});

test('the health of a model forgets what is a minute old', () => {
  const { health, note, pass } = start();
  note(FAILED, 2);
  pass(61_000);
  note(FAILED, 2);
  expect(health.mayRun()).toBe(true);
});

test('the health of a model tries again after a wait, and is well after three good calls', () => {
  const { health, note, pass } = start();
  note(FAILED, 3);
  pass(4999);
  expect(health.mayRun()).toBe(false);
  pass(1);
  expect([health.mayRun(), health.isSuspended()]).toEqual([true, true]);
  note(GOOD, 2);
  expect(health.isSuspended()).toBe(true);
  note(GOOD);
  expect(health.isSuspended()).toBe(false);
  note(FAILED, 2);
  expect(health.isSuspended()).toBe(false);
});

test('the health of a model waits twice as long each time', () => {
  const { health, note, pass } = start();
  note(SLOW, 3);
  pass(5000);
  note(SLOW);
  pass(9999);
  expect(health.mayRun()).toBe(false);
  pass(1);
  expect(health.mayRun()).toBe(true);
});

test.each([
  ['fails', FAILED],
  ['takes over two seconds', VERY_SLOW],
])('the health of a model is hopeless when it %s again on trial', (_, bad) => {
  const { note, pass } = start();
  expect(note(bad, 3)).toBeUndefined();
  pass(5000);
  expect(note(bad)).toMatch(/of 4 calls/);
});

test('the health of a model is not hopeless for being slow, nor for failing again a long time later', () => {
  const slow = start();
  slow.note(SLOW, 3);
  slow.pass(5000);
  expect(slow.note(SLOW)).toBeUndefined();
  const later = start();
  later.note(FAILED, 3);
  later.pass(5000);
  later.note(GOOD, 3);
  later.pass(600_001);
  expect(later.note(FAILED, 3)).toBeUndefined();
});
