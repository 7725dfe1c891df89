/** Goal: a process that is slow still tells a corridor apart whose commits hang. Method: the guards of a process on a clock of the test. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createGuards } from '../../../../src/kit/breakers/guards.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { silentLog } from '../../../support/config.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('a corridor whose commits hang is refused within five seconds, also by a process that was slow before', async () => {
  const never = () => false;
  using guards = createGuards({
    ...{ metrics: createMetrics(), log: silentLog(), isPostgresFailure: never, isPoolBusy: never },
    ...{ isRedisFailure: never, isStreamFailure: never, isStuck: never },
    pool: { connectionsMax: 10, waitMs: 60_000 },
  });
  for (let look = 0; look < 2; look++) {
    const slow = guards.postgres.run(() => vi.advanceTimersByTimeAsync(999));
    await slow;
    await vi.advanceTimersByTimeAsync(1);
  }
  const commit = (corridor: string, call: () => Promise<unknown>) =>
    guards.writes.guardOf(new Set([corridor]))(call);
  const stuck = commit('A', () => new Promise(() => undefined)).catch(String);
  for (let second = 0; second < 5; second++) {
    await commit('B', async () => undefined);
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(guards.health.level()).toBe(1);
  expect(['A', 'B'].map(guards.health.levelOf)).toEqual([3, 1]);
  expect(await stuck).toContain('the corridor A cannot be committed now');
});
