/**
 * Goal: a copy in memory that another worker outdated never decides what a transaction sees, and one that will do
 * is not rebuilt. Method: two workers' folds over one real Redis and Postgres, each with its own copies, taking
 * turns at one account.
 */
import { expect, test } from 'vitest';
import { LABEL_MATURITY_DAYS } from '../../src/domain/history.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { accountKind } from '../../src/profile/account-kind.ts';
import { merchantKind } from '../../src/profile/merchant-kind.ts';
import { PROFILE_HEADER_BYTES } from '../../src/profile/profile.ts';
import { createMetrics } from '../../src/runtime/metrics.ts';
import { vectorOf } from '../../src/scoring/feature-rows.ts';
import { loadAccountPasts, loadMerchantPasts } from '../../src/store/history.ts';
import { profileKey, profileSlot } from '../../src/stream/keys.ts';
import { createProfileCache } from '../../src/stream/profile-cache.ts';
import { createFoldProfiles, type FoldProfiles } from '../../src/worker/fold-profiles.ts';
import { createFoldSide } from '../../src/worker/fold-side.ts';
import type { PlaceOfParty } from '../../src/worker/visit.ts';
import { type NamedFeatures, named } from '../support/fold-one.ts';
import { createWorkerRig, type WorkerRig } from '../support/worker-rig.ts';

const T0 = Date.UTC(2026, 10, 2, 12);
const seed = (minute: number, accountId = 'shared') => ({
  createdAtMs: T0 + minute * 60_000,
  accountId,
  merchantId: 'm',
});

/** What each transaction sees. */
async function foldNamed(
  fold: FoldProfiles,
  transactions: readonly Transaction[],
): Promise<NamedFeatures[]> {
  const rows = await fold(transactions);
  return transactions.map((_, index) => named(vectorOf(rows, index)));
}

function startFold({ commands, database, pool }: WorkerRig) {
  const metrics = createMetrics();
  const market = database.market;
  const placeOf: PlaceOfParty = (party, id) => ({
    key: profileKey(market, party, id),
    slot: profileSlot(id),
  });
  const shared = { placeOf, metrics, entriesMax: 100, bytesMax: 1_000_000 };
  const fold = createFoldProfiles({
    cache: createProfileCache({
      ...{ redis: commands, market, headerBytes: PROFILE_HEADER_BYTES, ttlSeconds: 60 },
    }),
    accounts: createFoldSide({
      kind: accountKind,
      loadPasts: (points) => loadAccountPasts(pool.query, points),
      ...shared,
    }),
    merchants: createFoldSide({
      kind: merchantKind,
      loadPasts: (points) => loadMerchantPasts(pool.query, points, LABEL_MATURITY_DAYS),
      ...shared,
    }),
  });
  const conflicts = async () => (await metrics.profileConflicts.get()).values[0]?.value ?? 0;
  const rebuilds = async (party: string) =>
    (await metrics.profileRebuilds.get()).values
      .filter(({ labels }) => labels.party === party)
      .reduce((sum, { value }) => sum + value, 0);
  return { fold, conflicts, rebuilds };
}

test('a fold sees what another worker folded since the copy in memory was made', async () => {
  await using rig = await createWorkerRig();
  const [ours, theirs] = [startFold(rig), startFold(rig)];
  const siblingsSeen: number[] = [];
  const foldNext = async ({ fold }: ReturnType<typeof startFold>, minute: number) => {
    const [transaction] = (await rig.store([seed(minute)])) as [Transaction];
    const [seen] = await foldNamed(fold, [transaction]);
    expect(seen?.merchant_count_1h).toBe(seen?.count_1h);
    siblingsSeen.push(seen?.siblings ?? -1);
    return transaction;
  };
  await foldNext(ours, 0);
  await foldNext(theirs, 1);
  const last = await foldNext(ours, 2);
  expect(siblingsSeen).toEqual([0, 1, 2]);
  expect(await ours.conflicts()).toBe(2);

  // Folded again, there is nothing to write that could prove the copy: it is compared instead.
  await foldNext(theirs, 1.5);
  const [again] = await foldNamed(ours.fold, [last]);
  expect(again?.siblings).toBe(3);
  await foldNext(ours, 4);
  expect(siblingsSeen.at(-1)).toBe(4);
});

test('a kind that is done stays as it is while the other is folded again', async () => {
  await using rig = await createWorkerRig();
  const [ours, theirs] = [startFold(rig), startFold(rig)];
  await ours.fold(await rig.store([seed(0)]));
  await theirs.fold(await rig.store([seed(1, 'another')]));
  const rebuilt = await ours.rebuilds('account');
  const [seen] = await foldNamed(ours.fold, await rig.store([seed(2)]));
  expect(await ours.conflicts()).toBe(1);
  expect(await ours.rebuilds('account')).toBe(rebuilt);
  expect(seen?.siblings).toBe(1);
  expect(seen?.merchant_count_1h).toBe(2);
});

test('a batch folds on what the one before it has not heard of yet', async () => {
  await using rig = await createWorkerRig();
  const ours = startFold(rig);
  await ours.fold(await rig.store([seed(0)]));
  const rebuilt = await ours.rebuilds('account');
  const batches = [
    await rig.store([seed(1)]),
    await rig.store([seed(2)]),
    await rig.store([seed(3)]),
  ];
  const folded = await Promise.all(batches.map((batch) => foldNamed(ours.fold, batch)));
  expect(folded.map(([seen]) => seen?.siblings)).toEqual([1, 2, 3]);
  expect(await ours.conflicts()).toBe(0);
  expect(await ours.rebuilds('account')).toBe(rebuilt);

  const heir = startFold(rig);
  const [seen] = await foldNamed(heir.fold, await rig.store([seed(4)]));
  expect(seen?.siblings).toBe(4);
  expect(await heir.rebuilds('account')).toBe(0);
});

test('corridors that work off their backlogs a month apart share a profile', async () => {
  await using rig = await createWorkerRig();
  const { fold, rebuilds } = startFold(rig);
  const MONTH_MINUTES = 31 * 24 * 60;
  const behind = await rig.store(Array.from({ length: 20 }, (_, minute) => seed(minute)));
  const ahead = await rig.store(
    Array.from({ length: 20 }, (_, minute) => seed(MONTH_MINUTES + minute)),
  );
  for (let turn = 0; turn < 10; turn++) {
    // What is ahead comes first: the profile is made around it.
    const batch = [ahead, behind].flatMap((all) => all.slice(2 * turn, 2 * turn + 2));
    const seen = await foldNamed(fold, batch);
    expect(seen.map((one) => one.merchant_count_1h)).toEqual(
      [0, 1, 0, 1].map((place) => 2 * turn + place),
    );
  }
  expect(await rebuilds('merchant')).toBeLessThanOrEqual(2);
  expect(await rebuilds('account')).toBeLessThanOrEqual(2);
});
