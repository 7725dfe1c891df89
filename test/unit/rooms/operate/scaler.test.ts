/**
 * Goal: the number of workers follows the load within its bounds, and never swings under a load that stays. Method: the
 * scaler drives a made engine, whose workers score at a fixed rate, through drawn loads, in steps of five seconds.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  createScaler,
  type Reading,
  type ScalingPolicy,
} from '../../../../src/rooms/operate/scaling/scaler.ts';
import { TRIGGERS } from '../../../../src/rooms/operate/scaling/triggers.ts';

const MINUTE_MS = 60_000;
const TICK_MS = 5000;
/** Transactions that a worker scores a second. */
const RATE = 1000;

const policyOf = (min: number, max: number): ScalingPolicy => ({
  triggers: TRIGGERS.filter(({ role }) => role === 'worker'),
  min,
  max,
  coolDownMs: 2 * MINUTE_MS,
});

type Phase = { readonly perSecond: number; readonly minutes: number };
type Change = { readonly atMs: number; readonly to: number; readonly by: string };

function drive(policy: ScalingPolicy, phases: readonly Phase[]) {
  const scaler = createScaler(policy);
  let [nowMs, workers, backlog, ageSeconds] = [0, policy.min, 0, 0];
  const changes: Change[] = [];
  for (const { perSecond, minutes } of phases) {
    for (const endMs = nowMs + minutes * MINUTE_MS; nowMs < endMs; nowMs += TICK_MS) {
      const waits = backlog + (perSecond * TICK_MS) / 1000;
      const scored = Math.min(waits, (workers * RATE * TICK_MS) / 1000);
      backlog = waits - scored;
      ageSeconds = backlog / (workers * RATE);
      const step = scaler.next(nowMs, workers, {
        queue_depth_transactions: backlog,
        queue_age_seconds: ageSeconds,
        processor_ratio: scored / ((workers * RATE * TICK_MS) / 1000),
      });
      if (step === undefined) continue;
      workers += step.change;
      scaler.changed(nowMs);
      changes.push({ atMs: nowMs, to: workers, by: step.trigger.name });
    }
  }
  return { changes, backlog };
}

test('a spike adds workers one after another, and a calm of half an hour takes them away', () => {
  const phases = [
    { perSecond: 100, minutes: 10 },
    { perSecond: 3400, minutes: 20 },
    { perSecond: 100, minutes: 90 },
  ];
  const { changes, backlog } = drive(policyOf(1, 4), phases);
  expect(changes.map(({ to }) => to)).toEqual([2, 3, 4, 3, 2, 1]);
  expect(changes.map(({ by }) => by)).toEqual([
    'DeepQueue',
    'DeepQueue',
    'DeepQueue',
    'LowQueueDepth',
    'LowQueueDepth',
    'LowQueueDepth',
  ]);
  const waits = changes.slice(1).map(({ atMs }, at) => atMs - (changes[at]?.atMs ?? 0));
  expect(Math.min(...waits)).toBe(2 * MINUTE_MS);
  expect(backlog).toBe(0);
});

test('workers are never fewer or more than allowed, whatever is read', () => {
  const value = fc.option(fc.double({ min: 0, max: 1e7, noNaN: true }), { nil: undefined });
  const reading = fc.record({
    queue_depth_transactions: value,
    queue_age_seconds: value,
    processor_ratio: value,
  });
  const bounds = fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 4 }));
  const property = fc.property(bounds, fc.array(reading, { maxLength: 60 }), ([min, more], all) => {
    const policy = policyOf(min, min + more);
    const scaler = createScaler(policy);
    let workers = min;
    for (const [at, one] of all.entries()) {
      const nowMs = at * MINUTE_MS;
      const step = scaler.next(nowMs, workers, one as Reading);
      if (step === undefined) continue;
      workers += step.change;
      scaler.changed(nowMs);
      expect(workers).toBeGreaterThanOrEqual(policy.min);
      expect(workers).toBeLessThanOrEqual(policy.max);
    }
  });
  fc.assert(property);
});

test('under a load that stays, no worker that was taken away comes back', () => {
  const load = fc.integer({ min: 0, max: 5000 });
  const property = fc.property(load, load, (before, after) => {
    const phases = [
      { perSecond: before, minutes: 60 },
      { perSecond: after, minutes: 240 },
    ];
    const { changes } = drive(policyOf(1, 4), phases);
    const later = changes.filter(({ atMs }) => atMs >= 60 * MINUTE_MS).map(({ to }) => to);
    const ordered = later.toSorted((a, b) => a - b);
    expect([ordered, ordered.toReversed()]).toContainEqual(later);
  });
  fc.assert(property, { numRuns: 25 });
});

test('what is unknown moves nothing, and begins the wait anew', () => {
  const scaler = createScaler(policyOf(1, 4));
  const quiet = { queue_depth_transactions: 0 };
  const at = (minute: number, reading: Reading) => scaler.next(minute * MINUTE_MS, 2, reading);
  const minutes = (from: number, to: number, reading: Reading) =>
    Array.from({ length: to - from }, (_, nth) => at(from + nth, reading)).filter(Boolean);
  expect(minutes(0, 30, quiet)).toEqual([]);
  expect(minutes(30, 33, {})).toEqual([]);
  expect(minutes(33, 62, quiet)).toEqual([]);
  expect(at(64, quiet)?.change).toBe(-1);
});
