/**
 * Goal: workers that fold into the same profiles lose nothing, count nothing twice and do nothing twice, and a copy in
 * memory that another worker outdated never decides what a transaction sees. Method: folds over one real Redis and
 * Postgres, each with its own copies; at the end the logs are held against rebuilds.
 */
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import { LABEL_MATURITY_DAYS } from '../../src/core/domain/history.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { accountKind } from '../../src/core/profile/account-kind.ts';
import { takeOwn } from '../../src/core/profile/arena.ts';
import { merchantKind } from '../../src/core/profile/merchant-kind.ts';
import type { Profile, ProfileKind } from '../../src/core/profile/profile.ts';
import { readLog } from '../../src/core/profile/profile-log.ts';
import { loadAccountPasts, loadMerchantPasts } from '../../src/core/store/profiles/history.ts';
import { profileKey } from '../../src/core/stream/keys.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { foldOne } from '../support/fold-one.ts';
import { startFold } from '../support/fold-rig.ts';
import { idAt } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, type WorkerRig } from '../support/worker-rig.ts';

const T0 = Date.UTC(2026, 10, 2, 12);
const seed = (minute: number, accountId = 'shared', merchantId = 'm') => ({
  ...{ createdAtMs: T0 + minute * 60_000, accountId, merchantId },
});

function startOn({ commands, database, pool }: WorkerRig) {
  return startFold({ redis: commands, query: pool.query, market: database.market });
}

/** No fold waits for its snapshots, and another worker that folds before them rebuilds. */
const installed = (worker: ReturnType<typeof startFold>) =>
  waitUntil(async () => (await worker.installs('installed')) >= 2, 10_000, 'both snapshots');

test('a batch folds on what the one before it has not heard of yet', async () => {
  await using rig = await createWorkerRig();
  const ours = startOn(rig);
  await ours.fold(await rig.store([seed(0)]));
  const batches = [
    await rig.store([seed(1)]),
    await rig.store([seed(2)]),
    await rig.store([seed(3)]),
  ];
  const folded = await Promise.all(batches.map((batch) => ours.fold(batch)));
  expect(folded.map(([row]) => row?.siblings)).toEqual([1, 2, 3]);
  expect(await ours.rebuilds('account')).toBe(1);

  await installed(ours);
  const heir = startOn(rig);
  const [row] = await heir.fold(await rig.store([seed(4)]));
  expect(row?.siblings).toBe(4);
  expect(await heir.rebuilds('account')).toBe(0);
});

test('while a batch rebuilds profiles, others fold on, but for the same parties', async () => {
  await using rig = await createWorkerRig();
  const { commands: redis, database, pool } = rig;
  const answered = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  const query: Query = async (statement, values) => {
    asked.resolve();
    await answered.promise;
    return await pool.query(statement, values);
  };
  await startOn(rig).fold(await rig.store([seed(0), seed(0, 'known', 'known')]));
  await redis.del(profileKey(database.market, 'account', 'shared'));
  const ours = startFold({ redis, query, market: database.market });
  const [first, other, same] = [
    await rig.store([seed(1)]),
    await rig.store([seed(1, 'known', 'known')]),
    await rig.store([seed(2)]),
  ];
  const done: string[] = [];
  const foldNoted = async (name: string, batch: Transaction[]) => {
    const [row] = await ours.fold(batch);
    done.push(name);
    return row?.siblings;
  };
  const folding = [foldNoted('first', first), foldNoted('other', other), foldNoted('same', same)];
  await asked.promise;
  expect(await folding[1]).toBe(1);
  expect(done).toEqual(['other']);
  answered.resolve();
  expect(await Promise.all(folding)).toEqual([1, 1, 2]);
  expect(await ours.rebuilds('account')).toBe(1);
});

test('a log that has grown is made anew, and holds what it held', async () => {
  await using rig = await createWorkerRig();
  const { commands: redis, database } = rig;
  const count = 250;
  // A record is 40 bytes in a snapshot and 52 in a block of its own.
  const bytesMax = count * 52 + 40 * 20;
  const [ours, theirs] = [
    startFold({ redis, market: database.market }),
    startFold({ redis, market: database.market }),
  ];
  let longest = 0;
  const key = profileKey(database.market, 'account', 'shared');
  const transactionAt = (minute: number): Transaction => ({
    ...{ transactionId: idAt(T0 + minute * 60_000), createdAtMs: T0 + minute * 60_000 },
    ...{ receivedAtMs: 0, accountId: 'shared', merchantId: 'm', amount: '1', currency: 'USD' },
    ...{ corridor: 'US-EG', type: null, ip: null, deviceId: null, country: null, channel: null },
    declared: null,
  });
  for (let minute = 0; minute < count; minute++) {
    await ours.fold([transactionAt(minute)]);
    longest = Math.max(longest, await redis.strlen(key));
  }
  expect(longest).toBeLessThan(bytesMax);
  expect(await ours.installs('installed')).toBeGreaterThan(1);
  const log = await redis.getBuffer(key);
  expect(log?.readUInt32LE() ?? 0).toBeGreaterThan((count * 16) << 8);
  const [row] = await theirs.fold([transactionAt(count)]);
  expect(row?.siblings).toBe(count);
  expect(await theirs.rebuilds('account')).toBe(0);
});

type Kind = ProfileKind<Profile, unknown>;

/** Features after everything that happened, from a log and from a rebuild. */
async function compareLogs(
  { commands, database }: WorkerRig,
  kind: Kind,
  probes: readonly Transaction[],
  pasts: AsyncIterable<unknown>,
): Promise<void> {
  let next = 0;
  for await (const past of pasts) {
    const probe = probes[next++] as Transaction;
    const key = profileKey(database.market, kind.party, kind.partyOf(probe));
    const log = await commands.getBuffer(key);
    const profile = log === null ? undefined : readLog(kind, log, takeOwn)?.profile;
    if (profile === undefined) throw new Error(`${key} is not readable`);
    const [known, rebuilt] = [profile, kind.rebuild(past)].map((one) => foldOne(kind, one, probe));
    if (!isDeepStrictEqual(known, rebuilt)) expect({ key, known }).toEqual({ key, known: rebuilt });
  }
  expect(next).toBe(probes.length);
}

test('two workers on a few merchants lose nothing, count nothing twice and rebuild each once', async () => {
  await using rig = await createWorkerRig();
  const workers = [startOn(rig), startOn(rig)] as const;
  const [ACCOUNTS, MERCHANTS, BATCH, ROUNDS] = [150, 12, 100, 25];
  const seeds = Array.from({ length: 2 * BATCH * ROUNDS }, (_, index) => ({
    createdAtMs: T0 + index * 500,
    accountId: `acc_${(index * 7) % ACCOUNTS}`,
    merchantId: `m_${(index * 5) % MERCHANTS}`,
  }));
  for (let round = 0; round < ROUNDS; round++) {
    const all = await rig.store(seeds.slice(2 * BATCH * round, 2 * BATCH * (round + 1)));
    // Interleaved, so that both workers meet every merchant and the other's transactions come between.
    const shares = [0, 1].map((worker) =>
      all.filter((_, index) => Math.floor(index / 3) % 2 === worker),
    );
    await Promise.all(workers.map(({ fold }, worker) => fold(shares[worker] ?? [])));
  }
  const probeAt = (more: Partial<Transaction>): Transaction => ({
    ...{ transactionId: 'ffffffff-ffff-7fff-bfff-ffffffffffff', receivedAtMs: 0 },
    ...{ createdAtMs: T0 + seeds.length * 500, accountId: '', merchantId: '', amount: '1' },
    ...{ currency: 'USD', corridor: 'US-EG', type: null, ip: null, deviceId: null },
    ...{ country: null, channel: null, declared: null, ...more },
  });
  const ofAccounts = Array.from({ length: ACCOUNTS }, (_, n) => probeAt({ accountId: `acc_${n}` }));
  const ofMerchants = Array.from({ length: MERCHANTS }, (_, n) =>
    probeAt({ merchantId: `m_${n}` }),
  );
  const { query } = rig.pool;
  await compareLogs(rig, accountKind as Kind, ofAccounts, loadAccountPasts(query, ofAccounts));
  const pasts = loadMerchantPasts(query, ofMerchants, LABEL_MATURITY_DAYS);
  await compareLogs(rig, merchantKind as Kind, ofMerchants, pasts);
  const total = async (of: (one: (typeof workers)[number]) => Promise<number>) =>
    (await Promise.all(workers.map(of))).reduce((sum, count) => sum + count, 0);
  // Two workers may meet a party for the first time at once.
  expect(await total((one) => one.rebuilds('account'))).toBeLessThanOrEqual(2 * ACCOUNTS);
  expect(await total((one) => one.rebuilds('merchant'))).toBeLessThanOrEqual(2 * MERCHANTS);
  expect(await total((one) => one.merged('merchant'))).toBeGreaterThan(seeds.length / 4);
}, 60_000);
