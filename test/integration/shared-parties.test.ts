/**
 * Goal: devices and networks of addresses cost a worker what they give: a batch is one call for all kinds of party, an absent party
 * none, and a party of too many accounts is absent by the table of the day, yet nothing is missing once it counts again. Method: folds
 * over a real Redis and Postgres, through logs that note their calls.
 */
import { expect, test } from 'vitest';
import { featureIndex } from '../../src/core/domain/feature-schema.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { hashText } from '../../src/core/profile/packed-list.ts';
import { createRecomputeVectors } from '../../src/core/profile/recompute-vectors.ts';
import { profileKey } from '../../src/core/stream/keys.ts';
import { PROFILE_LOGS, type ProfileLogs } from '../../src/core/stream/profiles/profile-logs.ts';
import { createRandom } from '../../src/kit/random.ts';
import { commitLabel } from '../property/profile/arrivals.ts';
import type { NamedFeatures } from '../support/fold-one.ts';
import { startFold } from '../support/fold-rig.ts';
import { MARKET_TABLE } from '../support/market-table.ts';
import { openForFile } from '../support/open-for-file.ts';
import { findIn } from '../support/rooms/privacy/canaries.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const T0 = Date.UTC(2026, 10, 2, 12);
const [DEVICE, IP, PARTY] = ['till', '203.0.113.7', '203.0.113.0/24'];
const FRAUD = { label: 'fraud', delayMs: 0, source: 'bank', amountToMedian: null } as const;
const SHARED = [
  ...(['device_accounts_30d', 'device_age_hours', 'device_frauds'] as const),
  ...(['ip_accounts_24h', 'ip_age_hours', 'ip_frauds'] as const),
];
const TILL = {
  ...MARKET_TABLE,
  crowded: { device: new Set([DEVICE]), address: new Set([PARTY]) },
};

const rig = await openForFile(createWorkerRig());
const { commands: redis, database, pool } = rig;
let calls: string[] = [];
const logs: ProfileLogs = {
  ...PROFILE_LOGS,
  append: (market, ttl, appends) => {
    calls.push(`append ${appends.length}`);
    return PROFILE_LOGS.append(market, ttl, appends);
  },
  drop: (market, parties) => {
    calls.push(`drop ${parties.map(({ id }) => id).join(' ')}`);
    return PROFILE_LOGS.drop(market, parties);
  },
};
const startWorker = () => startFold({ redis, query: pool.query, market: database.market, logs });
const store = (minute: number, accountId: string, more: { deviceId?: string; ip?: string }) =>
  rig.store([{ createdAtMs: T0 + minute * 60_000, accountId, ...more }]);

test('one call appends to the logs of all parties, and to none of an absent party', async () => {
  const worker = startWorker();
  const both = await store(0, 'a', { deviceId: 'phone', ip: '2001:db8::1' });
  const neither = await store(1, 'b', {});
  calls = [];
  const [first] = await worker.fold(both);
  const [second] = await worker.fold(neither);
  expect(calls).toEqual(['append 4', 'append 2']);
  expect(first).toMatchObject({ device_accounts_30d: 1, device_age_hours: 0, ip_frauds: 0 });
  expect(second).toMatchObject({ device_accounts_30d: Number.NaN, ip_age_hours: Number.NaN });
});

test('a party of too many accounts is absent by the table of its day, and whole where it counts again', async () => {
  const [ours, theirs] = [startWorker(), startWorker()];
  const stored = async (minute: number) =>
    await store(minute, `acc_${minute}`, { deviceId: DEVICE, ip: IP });
  const features = ['device_accounts_30d', 'ip_accounts_24h', 'device_age_hours'] as const;
  const fold = async (worker: typeof ours, minute: number, table: typeof TILL | null) => {
    const [row] = await worker.fold(await stored(minute), [table]);
    return features.map((name) => row?.[name]);
  };
  expect(await fold(ours, 0, null)).toEqual([1, 1, 0]);
  expect(await fold(theirs, 60, null)).toEqual([2, 2, 1]);
  calls = [];
  expect(await fold(ours, 120, TILL)).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  expect(calls).toEqual([`drop ${DEVICE} ${PARTY}`, 'append 2']);
  expect(await redis.exists(profileKey(database.market, 'device', DEVICE))).toBe(0);
  expect(await fold(theirs, 180, null)).toEqual([4, 4, 3]);
  expect(await fold(ours, 240, null)).toEqual([5, 5, 4]);
});

test('a party with many transactions that come in any order costs few rebuilds, and what it gives is as in a rebuild', async () => {
  const random = createRandom('any order');
  const seeds = Array.from({ length: 80 }, () => ({
    ...{ createdAtMs: T0 - Math.floor(random() * 680) * 6 * 3_600_000, deviceId: 'kiosk' },
    ...{ accountId: `of ${Math.floor(random() * 50)}`, ip: '198.51.100.7' },
  }));
  const stored = await rig.store(seeds);
  await commitLabel(pool, stored[7] as Transaction, FRAUD, T0);
  const worker = startWorker();
  const folded: NamedFeatures[] = [];
  for (const payment of stored) folded.push(...(await worker.fold([payment])));
  const some = stored.filter((_, nth) => nth % 4 === 3);
  const none = some.map(() => null);
  const rebuilt = await createRecomputeVectors(pool, 7)(some, none);
  const ofParties = SHARED.map((name) => featureIndex(name));
  const pick = (vector: ArrayLike<number>) => ofParties.map((at) => vector[at]);
  const compared = folded.filter((_, nth) => nth % 4 === 3);
  expect(compared.map((row) => SHARED.map((name) => row[name]))).toEqual(rebuilt.map(pick));
  expect(folded.some((row) => row.ip_frauds === 1 && row.device_frauds === 1)).toBe(true);
  for (const party of ['device', 'address']) {
    const late = await worker.rebuilds(party, 'late');
    expect(late).toBeGreaterThan(20);
    expect((await worker.rebuilds(party)) - late).toBeLessThan(20);
  }
});

test('records of devices and networks have accounts as hashes alone, and name their own party in the key alone', async () => {
  const people = ['nora-s account', 'omar-s account'];
  const [device, ip, network] = ['nora-s telephone', '198.18.77.201', '198.18.77.0/24'];
  const shop = 'olga-s shop';
  await redis.flushall();
  const stored = await rig.store(
    people.map((accountId, nth) => ({
      ...{ createdAtMs: T0 + nth, accountId, merchantId: shop, deviceId: device, ip },
    })),
  );
  await commitLabel(pool, stored[0] as Transaction, FRAUD, T0);
  const worker = startWorker();
  for (const payment of stored) await worker.fold([payment]);
  const names = [...people, device, ip, network, shop];
  const textOf = async (key: string) => (await redis.getBuffer(key))?.toString('latin1') ?? '';
  for (const key of await redis.keys('*')) {
    expect(findIn(key, names).length).toBeLessThan(2);
    const value = await textOf(key);
    for (const name of names) expect(value).not.toContain(name.slice(0, 4));
    expect(findIn(value, names)).toEqual([]);
  }
  for (const [kind, own] of [['device', device] as const, ['address', network] as const]) {
    const key = profileKey(database.market, kind, own);
    expect(findIn(key, names)).toEqual([own]);
    for (const person of people) {
      const hashed = Buffer.from(Uint32Array.of(hashText(person)).buffer).toString('latin1');
      expect(await textOf(key)).toContain(hashed);
    }
  }
});
