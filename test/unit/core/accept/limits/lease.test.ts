/** Quota that a process leases: the rate and the burst hold, whatever the slices are. */
import { expect, test } from 'vitest';
import { AWAY_MS, createLease, type Lease } from '../../../../../src/core/accept/limits/lease.ts';

/** Redis by the rules of take-quota-1.lua, and leases of it. */
function open(ratePerSecond: number, burst: number, processes = 1) {
  let nowMs = 1_000_000;
  let owedAtMs = 0;
  const state = { calls: 0, isAway: false };
  const gapMs = 1000 / ratePerSecond;
  const lease = () =>
    createLease({
      ratePerSecond,
      burst,
      processes: () => processes,
      nowMs: () => nowMs,
      fetch: async ({ need, want, back }) => {
        state.calls += 1;
        if (state.isAway) return undefined;
        const owed = Math.max(0, owedAtMs - back * gapMs - nowMs);
        const free = burst - owed / gapMs + 1e-6;
        const taken = free >= need ? Math.min(want, Math.floor(free)) : 0;
        owedAtMs = nowMs + owed + taken * gapMs;
        return { taken, free: free - taken };
      },
    });
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { lease, pass, state };
}

async function takeMany(lease: Lease, times: number, n = 1): Promise<number> {
  let taken = 0;
  for (let one = 0; one < times; one++) if ((await lease.take(n)) === 0) taken += n;
  return taken;
}

test('three processes share the rate, and need few calls', async () => {
  const { lease, pass, state } = open(1000, 100);
  const all = [lease(), lease(), lease()];
  let taken = 0;
  const rest = [0, 0, 0];
  for (let ms = 0; ms < 10_000; ms += 1) {
    for (const [at, one] of all.entries()) {
      // The first process gets all it can use, the others a trickle.
      if (at > 0 && ms % 20 !== at) continue;
      const got = await takeMany(one, at === 0 ? 3 : 1);
      taken += got;
      rest[at] = (rest[at] ?? 0) + got;
    }
    pass(1);
  }
  expect(taken).toBeGreaterThanOrEqual(0.98 * 10_000);
  expect(taken).toBeLessThanOrEqual(100 + 1.02 * 10_000);
  expect(Math.min(...rest)).toBeGreaterThan(0);
  expect(state.calls).toBeLessThan(5000);
});

test('a batch takes all or nothing, and one beyond the burst never passes', async () => {
  const { lease, pass, state } = open(10, 10);
  const one = lease();
  expect(await one.take(8)).toBe(0);
  expect(await one.take(8)).toBeCloseTo(0.6, 1);
  expect(await one.take(2)).toBe(0);
  pass(10_000);
  const { calls } = state;
  expect(await one.take(11)).toBeGreaterThan(0);
  expect(state.calls).toBe(calls);
  expect(await one.take(10)).toBe(0);
  one.giveBack(10);
  expect(await one.take(10)).toBe(0);
});

test('without Redis a process grants its share, and asks again after a while', async () => {
  const { lease, pass, state } = open(100, 40, 4);
  const one = lease();
  state.isAway = true;
  expect(await takeMany(one, 50)).toBe(10);
  expect(state.calls).toBe(1);
  pass(400);
  expect(await takeMany(one, 50)).toBe(10);
  state.isAway = false;
  pass(AWAY_MS);
  expect(await takeMany(one, 80)).toBe(40);
});
