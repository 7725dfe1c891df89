/**
 * Goal: all processes together let through the burst of each party, and then its rate by the time of Redis; a full or absent Redis
 * refuses nothing. Method: limits of several processes on one Redis, mostly with a rate that earns nothing while the test runs.
 */
import { expect, test } from 'vitest';
import { createPartyLimits, type TakeParties } from '../../src/core/accept/limits/limiter.ts';
import type { Guard } from '../../src/kit/breakers/breaker.ts';
import { openCommands, type RedisClient, untilReady } from '../../src/kit/redis/connection.ts';
import { startOneNodeCluster } from '../support/one-node-cluster.ts';
import { createStreamRig } from '../support/stream-rig.ts';
import { waitUntil } from '../support/wait-until.ts';

const { redis } = createStreamRig();
const KEYS = '{m:limits}:each:*';
const pass: Guard = (call) => call();

type Row = readonly [scope: string, ratePerSecond: number, burst: number];
function open(rows: readonly Row[], client: RedisClient = redis(), run = pass): TakeParties {
  const limits = rows.map(([scope, ratePerSecond, burst]) => ({
    ...{ scope, ratePerSecond, burst },
    kind: 'transactions' as const,
  }));
  return createPartyLimits(() => limits, { redis: client, market: 'm', run });
}
const accounts = (burst: number, ratePerSecond = 1e-6): Row[] => [
  ['each:account', ratePerSecond, burst],
];

/** @returns indexes of refused inputs */
async function refused(take: TakeParties, ids: readonly string[], isEach = true) {
  const over = await take(
    ids.map((account_id) => ({ account_id })),
    isEach,
  );
  return [...over.keys()];
}
const times = (n: number, id: string) => Array<string>(n).fill(id);

async function filled(used: number, run: () => Promise<void>): Promise<void> {
  const bytes = Number(/used_memory:(\d+)/.exec(await redis().info('memory'))?.[1]);
  await redis().config('SET', 'maxmemory', String(Math.round(bytes / used)));
  try {
    await run();
  } finally {
    await redis().config('SET', 'maxmemory', '0');
  }
}

test('parties that come in four processes at once get their burst exactly', async () => {
  const [BURST, PARTIES, TIMES] = [50, 40, 30];
  const passed = new Map<string, number>();
  const some = async (take: TakeParties) => {
    for (let round = 0; round < TIMES; round++) {
      const requests = Array.from({ length: PARTIES }, async (_, nth) => {
        const ids = times(1 + ((nth + round) % 2), `acc_${nth}`);
        const over = await refused(take, ids);
        passed.set(ids[0] ?? '', (passed.get(ids[0] ?? '') ?? 0) + ids.length - over.length);
      });
      await Promise.all(requests);
    }
  };
  await Promise.all(Array.from({ length: 4 }, () => some(open(accounts(BURST)))));
  expect([...passed.values()]).toEqual(Array(PARTIES).fill(BURST));
});

test('a party has its burst, and then its rate, and its key ends when the debt is paid', async () => {
  const take = open(accounts(7, 20));
  expect(await refused(take, times(9, 'a'))).toEqual([7, 8]);
  expect(await redis().pttl('{m:limits}:each:account:a')).toBeLessThanOrEqual(350);
  const sinceMs = performance.now();
  let units = 0;
  await waitUntil(
    async () => {
      units += 2 - (await refused(take, ['a', 'a'])).length;
      return units >= 10;
    },
    5000,
    'ten units',
  );
  expect(performance.now() - sinceMs).toBeGreaterThan(9 * 50);
  await waitUntil(async () => (await redis().keys(KEYS)).length === 0, 5000, 'no debt');
});

test('a request that is refused whole takes nothing, and a refused input of others takes of none', async () => {
  const [one, other] = [open(accounts(3)), open(accounts(3))];
  expect(await refused(one, ['a', ...times(4, 'b')], false)).toEqual([4]);
  expect(await redis().keys(KEYS)).toEqual([]);
  expect(await refused(other, [...times(3, 'a'), ...times(3, 'b')], false)).toEqual([]);
  expect(await refused(one, ['a', 'c', 'b'])).toEqual([0, 2]);
  const both = open([
    ['each:account', 1e-6, 2],
    ['each:device', 1e-6, 1],
  ]);
  const input = { account_id: 'x', device_id: 'x' };
  const over = await both([input, input, { account_id: 'x' }, { account_id: 'x' }], true);
  expect([...over].map(([at, { field, scope }]) => [at, field, scope])).toEqual([
    [1, 'device_id', 'each:device'],
    [3, 'account_id', 'each:account'],
  ]);
});

test('three parties of each of a thousand inputs are taken by one call, which in a cluster has one slot', async () => {
  let calls = 0;
  const counting: Guard = (call) => {
    calls += 1;
    return call();
  };
  await using cluster = await startOneNodeCluster();
  const client = openCommands(cluster.url, 5000);
  try {
    await untilReady(client, 5000);
    const rows: Row[] = ['account', 'device', 'address'].map((one) => [`each:${one}`, 1e-6, 1]);
    const take = open(rows, client, counting);
    const inputs = Array.from({ length: 1000 }, (_, nth) => ({
      ...{ account_id: `a_${nth}`, device_id: `d_${nth}`, ip: `10.0.0.${nth}` },
    }));
    expect((await take(inputs, true)).size).toBe(0);
    expect([calls, (await take(inputs, true)).size]).toEqual([1, 1000]);
    expect((await open([], client, counting)(inputs, true)).size).toBe(0);
    expect(calls).toBe(2);
  } finally {
    client.disconnect();
  }
});

test('an absent or full Redis refuses nothing, and what passes meanwhile is not counted', async () => {
  const state = { isAway: false };
  const run: Guard = async (call) => {
    if (state.isAway) throw new Error('away');
    return await call();
  };
  const take = open(accounts(2), redis(), run);
  expect(await refused(take, ['x'])).toEqual([]);
  state.isAway = true;
  expect(await refused(take, times(9, 'x'))).toEqual([]);
  state.isAway = false;
  await filled(2, async () => expect(await refused(take, ['x'])).toEqual([]));
  expect(await refused(take, times(3, 'x'))).toEqual([1, 2]);
});
