/**
 * Goal: all processes together let through the burst of each party and no unit more or less, if a process comes new, was away or
 * lost an answer. Method: copies on one Redis, with a rate that earns nothing while the test runs.
 */
import { expect, test } from 'vitest';
import { createPartyCopy, type PartyCopy } from '../../src/core/accept/limits/party-copy.ts';
import { createPartyLimits } from '../../src/core/accept/limits/party-limits.ts';
import { type PartyLimit, packUnits } from '../../src/core/accept/limits/party-units.ts';
import { partyKeys } from '../../src/core/stream/keys.ts';
import type { Guard } from '../../src/kit/breakers/breaker.ts';
import { openCommands, type RedisClient, untilReady } from '../../src/kit/redis/connection.ts';
import { startOneNodeCluster } from '../support/one-node-cluster.ts';
import { createStreamRig } from '../support/stream-rig.ts';

const { redis } = createStreamRig();
const [LOG, DEBTS] = partyKeys('m');
const limitOf = (burst: number): PartyLimit[] => [
  { field: 'account_id', ratePerSecond: 1e-6, burst },
];
const pass: Guard = (call) => call();
const open = (client: RedisClient = redis(), run = pass) =>
  createPartyCopy({ redis: client, market: 'm', run }, 1);

/** @returns units that were let through */
async function take(copy: PartyCopy, ids: readonly string[], burst: number, isEach = true) {
  const inputs = ids.map((account_id) => ({ account_id }));
  const units = packUnits(limitOf(burst), inputs, isEach);
  const lacking = await copy.take({ units, quietMs: 600_000 });
  if (lacking.length === 0) return ids.length;
  return isEach ? ids.length - lacking.length : 0;
}

/** Requests of one unit each, all at once. */
async function takeMany(copy: PartyCopy, n: number, id: (nth: number) => string, burst: number) {
  const all = Array.from({ length: n }, (_, nth) => take(copy, [id(nth)], burst));
  return (await Promise.all(all)).reduce((sum, one) => sum + one, 0);
}

test('parties that come in four processes at once get their burst exactly, while debts are saved', async () => {
  const [BURST, PARTIES, TIMES] = [50, 40, 30];
  const passed = new Map<string, number>();
  const some = async (copy: PartyCopy) => {
    for (let round = 0; round < TIMES; round++) {
      const requests = Array.from({ length: PARTIES }, async (_, nth) => {
        const id = `acc_${nth}`;
        const n = 1 + ((nth + round) % 2);
        const units = await take(copy, Array<string>(n).fill(id), BURST);
        passed.set(id, (passed.get(id) ?? 0) + units);
      });
      await Promise.all(requests);
    }
  };
  const late = (async () => {
    // The late process begins when the log may lack its first entries.
    await expect.poll(() => redis().hget(DEBTS, 'at'), { timeout: 10_000 }).not.toBeNull();
    await some(open());
  })();
  await Promise.all([some(open()), some(open()), some(open()), late]);
  expect([...passed.values()]).toEqual(Array(PARTIES).fill(BURST));
  expect(await redis().xlen(LOG)).toBeLessThan(2 * 4096);
  expect(await redis().pttl(LOG)).toBeGreaterThan(500_000);
});

test('a process that was away reads the debts and the log after them', async () => {
  const [one, other] = [open(), open()];
  expect(await take(one, ['x'], 3)).toBe(1);
  // Two pages of entries, and after that a log without the first one.
  expect(await takeMany(other, 1500, (nth) => `acc_${nth}`, 3)).toBe(1500);
  expect(await take(one, ['x', 'acc_7'], 3, false)).toBe(2);
  const first = async () => (await redis().xrange(LOG, '-', '+', 'COUNT', 1))[0]?.[0];
  const before = await first();
  await take(other, ['x'], 3);
  await takeMany(other, 600, (nth) => `acc_${nth}`, 3);
  await take(other, ['z'], 3);
  expect(await first()).not.toBe(before);
  expect(await take(one, ['x', 'x'], 3)).toBe(0);
  expect(await take(open(), ['x', 'y'], 3)).toBe(1);
});

test('a request that is refused whole takes nothing, in no process', async () => {
  const [one, other] = [open(), open()];
  expect(await take(one, ['a', 'b', 'b', 'b', 'b'], 3, false)).toBe(0);
  expect(await take(other, ['a', 'a', 'a', 'b', 'b', 'b'], 3, false)).toBe(6);
  expect(await take(one, ['a', 'b'], 3)).toBe(0);
});

test('units whose answer is lost are counted once', async () => {
  let losses = 0;
  const losing: Guard = async (call) => {
    const answer = await call();
    if (losses > 0) {
      losses -= 1;
      throw new Error('lost');
    }
    return answer;
  };
  const one = open(redis(), losing);
  expect(await take(one, ['x'], 4)).toBe(1);
  losses = 1;
  await expect(take(one, ['x'], 4)).rejects.toThrow('lost');
  expect(await take(one, ['x', 'x', 'x'], 4)).toBe(2);
  expect(await take(open(), ['x'], 4)).toBe(0);
});

test('where Redis has lost the count, one burst more passes', async () => {
  const [one, other] = [open(), open()];
  expect(await take(one, ['x', 'x', 'x'], 2)).toBe(2);
  await redis().flushall();
  expect([await take(one, ['x', 'x'], 2), await take(other, ['x'], 2)]).toEqual([2, 0]);
  await redis().del(LOG);
  await redis().hset(DEBTS, 'at', '1-1', 'debts', '');
  expect([await take(other, ['x', 'x'], 2), await take(one, ['x'], 2)]).toEqual([2, 0]);
});

test('without Redis nothing is refused, and what passes meanwhile is not counted', async () => {
  const state = { isAway: false };
  const run: Guard = async (call) => {
    if (state.isAway) throw new Error('away');
    return await call();
  };
  const limit = { scope: 'each:account', kind: 'transactions', ratePerSecond: 1e-6, burst: 2 };
  const row = { version: 1, setBy: 'a test', reason: 'a test', setAt: '', endsAt: null };
  const takeParties = createPartyLimits(() => [{ ...limit, ...row, proposal: null }], {
    ...{ redis: redis(), market: 'm', run },
  });
  const over = async (n: number) => {
    const inputs = Array.from({ length: n }, () => ({ account_id: 'x' }));
    return [...(await takeParties(inputs, true)).keys()];
  };
  expect(await over(1)).toEqual([]);
  state.isAway = true;
  expect(await over(9)).toEqual([]);
  state.isAway = false;
  expect(await over(3)).toEqual([1, 2]);
});

test('requests at once share a call, which in a cluster has one slot', async () => {
  let calls = 0;
  const counting: Guard = (call) => {
    calls += 1;
    return call();
  };
  await using cluster = await startOneNodeCluster();
  const client = openCommands(cluster.url, 5000);
  try {
    await untilReady(client, 5000);
    const copy = open(client, counting);
    expect(await takeMany(copy, 50, (nth) => `acc_${nth % 10}`, 3)).toBe(30);
    // The debts, the first request, and all others.
    expect(calls).toBe(3);
  } finally {
    client.disconnect();
  }
});
