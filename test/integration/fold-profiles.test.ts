/**
 * Goal: workers that fold into the same profiles lose nothing, count nothing twice and do nothing twice, and a copy in
 * memory that another worker outdated never decides what a transaction sees. Method: folds over one real Redis and
 * Postgres, each with its own copies; at the end a third worker counts what the logs hold.
 */
import { expect, test } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { profileKey } from '../../src/core/stream/keys.ts';
import { PROFILE_LOGS, type ProfileLogs } from '../../src/core/stream/profiles/profile-logs.ts';
import type { Query } from '../../src/kit/database/pool.ts';
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

test('batches that share a party fold that party in order, and other parties at once', async () => {
  await using rig = await createWorkerRig();
  const { commands: redis, database, pool } = rig;
  const [read, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const [appending, appended] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const readOther = Promise.withResolvers<void>();
  let [reads, appends, replies] = [0, 0, 0];
  const query: Query = async <Row extends object>(...call: Parameters<Query>) => {
    const rows = await pool.query<Row>(...call);
    if (!call[0].text.includes('has_frauds')) return rows;
    reads += 1;
    if (reads > 1) readOther.resolve();
    else {
      read.resolve();
      await answered.promise;
    }
    return rows;
  };
  const append: ProfileLogs['append'] = async (...call) => {
    appends += 1;
    if (appends === 4) {
      appending.resolve();
      await appended.promise;
    }
    const reply = await PROFILE_LOGS.append(...call);
    replies += 1;
    return reply;
  };
  await startOn(rig).fold(await rig.store([seed(0)]));
  await redis.del(profileKey(database.market, 'account', 'shared'));
  const logs = { ...PROFILE_LOGS, append };
  const ours = startFold({ redis, query, market: database.market, logs });
  // Batches are stored once the rows are read, so that only the order of folds decides what each batch sees.
  const foldShared = async (minute: number, others: readonly ReturnType<typeof seed>[] = []) =>
    ours.fold(await rig.store([seed(minute), ...others]));
  const folding = [foldShared(1)];
  await read.promise;
  folding.push(foldShared(2, [seed(2, 'other')]));
  await readOther.promise;
  folding.push(foldShared(3));
  await waitUntil(async () => replies === 3, 10_000, 'the third batch began');
  answered.resolve();
  await appending.promise;
  // The fourth batch waits for its turn while the second batch folds the party.
  const fourth = await rig.store([seed(4)]);
  folding.push(ours.fold(fourth));
  appended.resolve();
  const rows = await Promise.all(folding);
  expect(rows.map(([row]) => row?.siblings)).toEqual([1, 2, 3, 4]);
  expect(await ours.rebuilds('account')).toBe(2);
});

test('a batch that waits for two rebuilds folds before a later batch that waits for the first of them', async () => {
  await using rig = await createWorkerRig();
  const { commands: redis, database, pool } = rig;
  const deferred = () => Promise.withResolvers<void>();
  const rebuilds = [0, 1].map(() => ({ read: deferred(), answered: deferred() }));
  const [first, second] = rebuilds;
  let [reads, replies] = [0, 0];
  const query: Query = async <Row extends object>(...call: Parameters<Query>) => {
    const rows = await pool.query<Row>(...call);
    if (!call[0].text.includes('has_frauds')) return rows;
    const rebuild = rebuilds[reads++];
    rebuild?.read.resolve();
    await rebuild?.answered.promise;
    return rows;
  };
  await startOn(rig).fold(await rig.store([seed(0), seed(0, 'other')]));
  for (const party of ['shared', 'other'])
    await redis.del(profileKey(database.market, 'account', party));
  const append: ProfileLogs['append'] = async (...call) => {
    const reply = await PROFILE_LOGS.append(...call);
    replies += 1;
    return reply;
  };
  const logs = { ...PROFILE_LOGS, append };
  const ours = startFold({ redis, query, market: database.market, logs });
  const folding = [ours.fold(await rig.store([seed(1)]))];
  await first?.read.promise;
  folding.push(ours.fold(await rig.store([seed(1, 'other')])));
  await second?.read.promise;
  const both = await rig.store([seed(2), seed(2, 'other')]);
  const later = await rig.store([seed(3)]);
  folding.push(ours.fold(both), ours.fold(later));
  await waitUntil(async () => replies === 4, 10_000, 'all batches began');
  first?.answered.resolve();
  await folding[0];
  second?.answered.resolve();
  const rows = await Promise.all(folding);
  expect(rows.map((each) => each.map(({ siblings }) => siblings))).toEqual([[1], [1], [2, 2], [3]]);
});

test('an account of two rows has a snapshot, whose reader leaves out the transaction that asks', async () => {
  await using rig = await createWorkerRig();
  await rig.store([seed(0)]);
  const first = startOn(rig);
  await first.fold(await rig.store([seed(1)]));
  await waitUntil(async () => (await first.snapshots('stored')) === 1, 10_000, 'a snapshot');
  await rig.commands.flushall();
  const asking = await rig.store([seed(2)]);
  const ids: unknown[] = [];
  const { pool, commands: redis, database } = rig;
  const query: Query = async <Row extends object>(...call: Parameters<Query>) => {
    const rows = await pool.query<Row & { readonly transactionId?: string }>(...call);
    if (call[0].name?.startsWith('read-snapshots'))
      ids.push(...rows.map((row) => row.transactionId));
    return rows;
  };
  const worker = startFold({ redis, query, market: database.market });
  const [row] = await worker.fold(asking);
  expect([await worker.fromSnapshots(), row?.siblings]).toEqual([1, 2]);
  expect(ids.length).toBeGreaterThan(0);
  expect(ids).not.toContain(asking[0]?.transactionId);
});

test('a late transaction brings a profile that reaches it, so the next late ones need no rebuild', async () => {
  await using rig = await createWorkerRig();
  const worker = startOn(rig);
  const siblings = async (days: number) => {
    const [row] = await worker.fold(await rig.store([seed(days * 24 * 60)]));
    return row?.siblings;
  };
  expect(await siblings(0)).toBe(0);
  expect([await siblings(-60), await worker.rebuilds('account', 'behind')]).toEqual([0, 1]);
  expect([await siblings(-50), await siblings(-70), await siblings(1)]).toEqual([1, 0, 4]);
  expect(await worker.rebuilds('account')).toBe(2);
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
  const probe = { createdAtMs: T0 + seeds.length * 500, accountId: 'own', merchantId: 'own' };
  const countsOf = (field: 'accountId' | 'merchantId') =>
    [...Map.groupBy(seeds, (each) => each[field])].map(([party, { length: count }]) => ({
      party,
      count,
    }));
  const [accounts, merchants] = [countsOf('accountId'), countsOf('merchantId')];
  const ofAccounts = await rig.store(accounts.map(({ party }) => ({ ...probe, accountId: party })));
  const ofMerchants = await rig.store(
    merchants.map(({ party }) => ({ ...probe, merchantId: party })),
  );
  const rows = await startOn(rig).fold([...ofAccounts, ...ofMerchants]);
  const found = rows.splice(0, ACCOUNTS).map(({ siblings }) => siblings);
  expect(found).toEqual(accounts.map(({ count }) => count));
  const known = rows.map(({ merchant_count_1h: count }) => count);
  expect(known).toEqual(merchants.map(({ count }) => count));
  const total = async (of: (one: (typeof workers)[number]) => Promise<number>) =>
    (await Promise.all(workers.map(of))).reduce((sum, count) => sum + count, 0);
  // Two workers may meet a party for the first time at once.
  expect(await total((one) => one.rebuilds('account'))).toBeLessThanOrEqual(2 * ACCOUNTS);
  expect(await total((one) => one.rebuilds('merchant'))).toBeLessThanOrEqual(2 * MERCHANTS);
  expect(await total((one) => one.merged('merchant'))).toBeGreaterThan(seeds.length / 4);
});

test('a transaction that comes too late for its account is rebuilt beside the profile, which stays for those after it', async () => {
  await using rig = await createWorkerRig();
  const ours = startOn(rig);
  const late: Transaction[] = [];
  for (let from = 0; from < 1100; from += 100) {
    const rows = await rig.store(Array.from({ length: 100 }, (_, index) => seed(from + index)));
    if (from === 400) late.push(...rows.splice(0, 2));
    await ours.fold(rows);
  }
  const missing = await ours.rebuilds('account');
  // More rows lie after the late ones than a rebuild reads.
  const [next = [], after = []] = [await rig.store([seed(1100)]), await rig.store([seed(1101)])];
  const found = [
    ...(await ours.fold([...next, late[1] as Transaction, late[0] as Transaction])),
    ...(await ours.fold(after)),
  ];
  expect(await ours.rebuilds('account', 'behind')).toBe(1);
  expect(await ours.rebuilds('account')).toBe(missing + 1);
  for (const [at, transaction] of [...next, late[1], late[0], ...after].entries()) {
    const fresh = startOn(rig);
    await rig.commands.del(profileKey(rig.database.market, 'account', 'shared'));
    expect(found[at]).toEqual((await fresh.fold([transaction as Transaction]))[0]);
  }
});
