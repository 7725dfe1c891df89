/**
 * Goal: a limit that was changed, or whose clock was set, is waited for at most as long as its burst takes at its rate, and a lowered
 * limit forgives nothing. Method: quotas on a real Redis, whose keys are set to what another clock or release has left.
 */
import { expect, test } from 'vitest';
import { createLimiter, createPartyLimits } from '../../src/core/accept/limits/limiter.ts';
import type { Limit, Rate } from '../../src/core/domain/control-kinds.ts';
import { limitKey, partyKey } from '../../src/core/stream/keys.ts';
import { takeQuota } from '../../src/core/stream/party-quota.ts';
import type { Guard } from '../../src/kit/breakers/breaker.ts';
import { createStreamRig } from '../support/stream-rig.ts';
import { waitUntil } from '../support/wait-until.ts';

const { redis } = createStreamRig();
const run: Guard = (call) => call();

const limitOf = (scope: string, rate: Rate): Limit => ({ kind: 'transactions', scope, ...rate });

/** Takes units of an account and of the market by the limit in force. */
function openRates(first: Rate) {
  const state = { limits: [] as Limit[] };
  const set = (rate: Rate | null) => {
    state.limits =
      rate === null ? [] : ['market', 'each:account'].map((scope) => limitOf(scope, rate));
  };
  set(first);
  const market = { redis: redis(), market: 'm', run };
  const limiter = createLimiter({ current: () => state.limits, processes: () => 1 }, market);
  const take = createPartyLimits(() => state.limits, market);
  return {
    set,
    /** @returns seconds to wait; 0 where the units were taken */
    takeOfMarket: async (n: number) => {
      const need = { kind: 'transactions', scope: 'market', n } as const;
      return (await limiter.take([need]))?.retryAfterSeconds ?? 0;
    },
    takeOfAccount: async (n: number) => {
      const over = await take(Array(n).fill({ account_id: 'a' }), false);
      return Math.max(0, ...[...over.values()].map((found) => found.retryAfterSeconds ?? 0));
    },
  };
}

const SLOW = { ratePerSecond: 0.1, burst: 1000 };
const FAST = { ratePerSecond: 1000, burst: 1000 };
const keys = [limitKey('m', 'transactions', 'market'), partyKey('m', 'each:account', 'a')];
/** The time of Redis, in microseconds, and an hour later. */
async function inAnHour(): Promise<number> {
  const [seconds = 0, micros = 0] = (await redis().time()).map(Number);
  return (seconds + 3600) * 1e6 + micros;
}

type Rates = ReturnType<typeof openRates>;
const CHANGES: readonly (readonly [string, (rates: Rates) => Promise<void> | void])[] = [
  ['a raised limit', ({ set }) => set(FAST)],
  [
    'a limit that was removed and set anew',
    async ({ set, takeOfMarket }) => {
      set(null);
      expect(await takeOfMarket(1)).toBe(0);
      set(FAST);
    },
  ],
  ['a limit with a smaller burst', ({ set }) => set({ ratePerSecond: 100, burst: 100 })],
  [
    'a clock that was an hour ahead',
    async ({ set }) => {
      set(FAST);
      for (const key of keys) await redis().set(key, `${await inAnHour()}.1000000000`);
    },
  ],
  [
    'a time alone that is an hour ahead',
    async ({ set }) => {
      set(FAST);
      for (const key of keys) await redis().set(key, String(await inAnHour()));
    },
  ],
];

test.each(CHANGES)(
  'a debt of %s is waited for no longer than the burst takes',
  async (_said, change) => {
    for (const name of ['takeOfMarket', 'takeOfAccount'] as const) {
      await redis().flushall();
      const rates = openRates(SLOW);
      const take = rates[name];
      expect(await take(1000)).toBe(0);
      expect(await take(1)).toBeGreaterThan(1);
      await change(rates);
      expect(await take(50)).toBeLessThanOrEqual(1);
      await waitUntil(async () => (await take(50)) === 0, 3000, 'fifty units');
    }
  },
);

test('a lowered limit forgives nothing, and a debt keeps its units at each change of the rate', async () => {
  for (const name of ['takeOfMarket', 'takeOfAccount'] as const) {
    await redis().flushall();
    const rates = openRates({ ratePerSecond: 100, burst: 1000 });
    expect(await rates[name](1000)).toBe(0);
    rates.set({ ratePerSecond: 0.01, burst: 1000 });
    expect(await rates[name](900)).toBeGreaterThan(0);
    // About as many units are owed as before the change.
    rates.set({ ratePerSecond: 0.02, burst: 2000 });
    expect(await rates[name](950)).toBe(0);
    expect(await rates[name](950)).toBeGreaterThan(0);
  }
});

test('units that come back are less debt, and a debt that is paid leaves no key', async () => {
  const ask = { kind: 'transactions', scope: 'market', ...FAST };
  const taken = await takeQuota(redis(), 'm', { ...ask, need: 1, want: 600, back: 0 });
  expect(taken).toEqual({ taken: 600, free: 400 });
  const { free } = await takeQuota(redis(), 'm', { ...ask, need: 2000, want: 2000, back: 500 });
  expect(free).toBeGreaterThanOrEqual(900);
  await takeQuota(redis(), 'm', { ...ask, need: 2000, want: 2000, back: 500 });
  expect(await redis().exists(keys[0] ?? '')).toBe(0);
});

test('a process that counts its share without Redis keeps units, and tells no longer wait than the burst takes', async () => {
  const state = { processes: 10 };
  const away: Guard = () => Promise.reject(new Error('away'));
  const limits = [limitOf('market', { ratePerSecond: 1, burst: 1 })];
  const watch = { current: () => limits, processes: () => state.processes };
  const limiter = createLimiter(watch, { redis: redis(), market: 'm', run: away });
  const need = { kind: 'transactions', scope: 'market', n: 1 } as const;
  expect(await limiter.take([need])).toBeUndefined();
  expect((await limiter.take([need]))?.retryAfterSeconds).toBe(1);
  // A single process earns the unit that is owed in a second.
  state.processes = 1;
  const sinceMs = performance.now();
  await waitUntil(async () => (await limiter.take([need])) === undefined, 3000, 'a unit');
  expect(performance.now() - sinceMs).toBeLessThan(5000);
});
