/** Goal: an open loop counts what a stalled server keeps waiting. */
import { describe, expect, test } from 'vitest';
import { percentiles } from '../../../bench/support/percentiles.ts';
import { createSchedule, type Schedule } from '../../../bench/support/schedule.ts';

const REQUESTS = 100;
const SERVICE_MS = 1;
const STALL_MS = 500;

/** Latencies of a connection with a request every 10 ms; the server takes 1 ms, but 500 ms for the eleventh. */
function latencies(schedule: Schedule): number[] {
  let now = schedule.startedAt;
  return Array.from({ length: REQUESTS }, (_, index) => {
    now += Math.max(0, schedule.untilDueMs(index, now));
    const beganAt = schedule.beganAt(index, now);
    now += index === 10 ? STALL_MS : SERVICE_MS;
    return now - beganAt;
  });
}

describe('createSchedule()', () => {
  test('at a rate counts waiting for a stalled server in all requests that were due meanwhile', () => {
    const measured = latencies(createSchedule(1000, 100));
    expect(measured[9]).toBe(SERVICE_MS);
    expect(measured[10]).toBe(STALL_MS);
    // Due 10 ms after the one that stalls, sent when that is answered.
    expect(measured[11]).toBe(STALL_MS - 10 + SERVICE_MS);
    // Each of the following catches up by 9 ms: the sixth longest of 100.
    expect(percentiles(measured).p95).toBe(STALL_MS - 5 * (10 - SERVICE_MS));
  });

  test('a request sent a timer grain early counts from sending, never less than nothing', () => {
    const schedule = createSchedule(0, 100);
    expect(schedule.beganAt(1, 9.4)).toBe(9.4);
    expect(schedule.beganAt(1, 10.6)).toBe(10);
  });
});
