/**
 * Goal: a corridor that works off a backlog far behind the live traffic of the same merchant has profiles of its own, so that
 * neither rebuilds the other's, and each transaction counts once in the vectors of both. Method: folds over one real Redis and
 * Postgres by turns; each vector is held against one that is recomputed from Postgres alone.
 */
import { expect, test } from 'vitest';
import { LABEL_MATURITY_DAYS } from '../../src/core/domain/history.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { createRecomputeVectors } from '../../src/core/profile/recompute-vectors.ts';
import { areCounted } from '../../src/core/store/profiles/counted-rows.ts';
import { readMark } from '../../src/core/store/profiles/profile-snapshots.ts';
import { invalidateProfiles } from '../../src/core/stream/profiles/invalidate-profiles.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { commitLabel } from '../property/profile/arrivals.ts';
import { type NamedFeatures, named } from '../support/fold-one.ts';
import { startFold } from '../support/fold-rig.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, type WorkerRig } from '../support/worker-rig.ts';

const TIMEOUT_MS = 120_000;
const HOUR_MS = 3_600_000;
const BACKLOG_MS = Date.UTC(2026, 10, 2, 6);
const LIVE_MS = BACKLOG_MS + 6 * HOUR_MS;
const STEP_MS = 5000;
/** A page holds the profile of a busy merchant, as it does in a worker. */
const COPIES_BYTES = 16 * 1024 * 1024;
/** More than a list has, so that the backlog lies in the tallies of the live profile. */
const [BACKLOG, LIVE] = [1200, 1400];

const seedsFrom = (fromMs: number, first: number, count: number) =>
  Array.from({ length: count }, (_, n) => ({
    createdAtMs: fromMs + (first + n) * STEP_MS,
    accountId: `acc_${((first + n) * 7) % 300}`,
    merchantId: 'm',
    amount: `${10 + ((first + n) % 90)}.00`,
  }));

/** Stores a backlog and then live traffic, of which a worker has folded all. */
async function start() {
  const rig = await createWorkerRig();
  const read = { rows: 0 };
  const query: Query = (statement, values) => {
    const { onRow } = statement;
    if (statement.name !== 'past-around-merchants' || onRow === undefined)
      return rig.pool.query(statement, values);
    const count = (texts: Parameters<typeof onRow>[0]) => {
      read.rows += 1;
      onRow(texts);
    };
    return rig.pool.query({ ...statement, onRow: count }, values);
  };
  const backlog = await rig.store(seedsFrom(BACKLOG_MS, 0, BACKLOG));
  // Databases of one server share its marks, which another test's open database transaction holds back.
  const isMarked = async () => {
    const { foldedTo } = await readMark(rig.pool.query);
    const rows = backlog.slice(-1).map((row) => ({ row, countedTo: Number(foldedTo) }));
    return (await areCounted(rig.pool.query, rows)).every(Boolean);
  };
  await waitUntil(isMarked, 10_000, 'a mark after the backlog');
  const [ours, theirs] = [0, 1].map(() =>
    startFold({ redis: rig.commands, query, market: rig.database.market, bytesMax: COPIES_BYTES }),
  ) as [ReturnType<typeof startFold>, ReturnType<typeof startFold>];
  const live: Transaction[] = [];
  const nextLive = async (count: number) => {
    const next = await rig.store(seedsFrom(LIVE_MS, live.length, count));
    live.push(...next);
    return next;
  };
  while (live.length < LIVE) await expectExact(rig, ours, await nextLive(200));
  read.rows = 0;
  return { rig, read, ours, theirs, backlog, live, nextLive };
}

type Fold = Pick<ReturnType<typeof startFold>, 'fold'>;

const ofMerchant = (features: NamedFeatures) =>
  Object.fromEntries(Object.entries(features).filter(([name]) => name.includes('merchant_')));

/** Vectors of a batch that are recomputed. Each costs as much as 300 folds, and what counts twice or never is seen by all later ones. */
const CHECKED_MAX = 10;

/** Folds transactions; what some of them, the last among them, see of their merchant is what Postgres says of it. */
async function expectExact(
  { pool }: WorkerRig,
  { fold }: Fold,
  transactions: readonly Transaction[],
): Promise<void> {
  const every = Math.ceil(transactions.length / CHECKED_MAX);
  const isChecked = (_: unknown, at: number) => (transactions.length - 1 - at) % every === 0;
  const folded = (await fold(transactions)).filter(isChecked);
  const checked = transactions.filter(isChecked);
  const vectors = await createRecomputeVectors(pool, LABEL_MATURITY_DAYS)(checked);
  expect(folded.map(ofMerchant)).toEqual(vectors.map((vector) => ofMerchant(named(vector))));
}

test.each([1, 2])(
  'a backlog and live traffic of one merchant do not rebuild each other, with %i workers',
  async (workers) => {
    const { rig, read, ours, theirs, backlog, nextLive } = await start();
    await using _ = rig;
    const ofLive = workers === 1 ? ours : theirs;
    const before = await ours.rebuilds('merchant');
    for (let done = 0; done < BACKLOG; done += 100) {
      await expectExact(rig, ours, backlog.slice(done, done + 100));
      await expectExact(rig, ofLive, await nextLive(40));
    }
    // A rebuild reaches 512 rows on, and goes on with the backlog from there.
    expect(await ours.rebuilds('merchant', 'behind')).toBeLessThanOrEqual(4);
    expect((await ours.rebuilds('merchant')) - before).toBeLessThanOrEqual(4);
    // The copy of the other worker was cold, or met the records that a cold worker had appended.
    expect(await theirs.rebuilds('merchant')).toBeLessThanOrEqual(1);
    expect(read.rows / BACKLOG).toBeLessThan(5);
    // Folded again, by either, they count once.
    await expectExact(rig, theirs, backlog.slice(500, 600));
    await expectExact(rig, ours, [...backlog.slice(600, 650), ...(await nextLive(10))]);
  },
  TIMEOUT_MS,
);

test(
  'a row that comes late to a rebuilt profile counts in it, and in the earlier profile',
  async () => {
    const { rig, ours, theirs, backlog, nextLive } = await start();
    await using _ = rig;
    await expectExact(rig, ours, backlog.slice(0, 100));
    await expectExact(rig, theirs, await nextLive(20));
    for (const worker of [ours, theirs, ours]) {
      const late = await rig.store([
        { createdAtMs: BACKLOG_MS + 110 * STEP_MS + 1, merchantId: 'm', accountId: 'late' },
      ]);
      await expectExact(rig, worker, late);
      await expectExact(rig, ours, await nextLive(5));
      await expectExact(rig, theirs, await nextLive(5));
      await expectExact(rig, ours, backlog.slice(120, 140));
    }
  },
  TIMEOUT_MS,
);

test(
  'what comes late on either side of the horizon counts in both profiles',
  async () => {
    const { rig, ours, theirs, live, nextLive } = await start();
    await using _ = rig;
    await expectExact(rig, theirs, await nextLive(5));
    // By ways of a list of 1,024 to 1,280 rows, whose first 256 have too few rows before them.
    for (let back = 760; back <= 1300; back += 60) {
      const near = live.slice(-back, -back + 40);
      const [first] = near as [Transaction];
      await expectExact(rig, ours, near.slice(0, 5));
      const late = { createdAtMs: first.createdAtMs + 5 * STEP_MS + 1, merchantId: 'm' };
      await expectExact(rig, theirs, await rig.store([{ ...late, accountId: `late_${back}` }]));
      await expectExact(rig, ours, near.slice(6, 12));
      await expectExact(rig, ours, near.slice(30));
      await expectExact(rig, theirs, await nextLive(3));
    }
    expect(await ours.rebuilds('merchant', 'behind')).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

test(
  'a label reaches what is folded behind a profile',
  async () => {
    const { rig, ours, backlog } = await start();
    await using _ = rig;
    const [fraud] = backlog as [Transaction];
    await expectExact(rig, ours, backlog.slice(0, 100));
    const label = { label: 'fraud', delayMs: 1, source: 'bank', amountToMedian: 2 } as const;
    await commitLabel(rig.pool, fraud, label, Date.now());
    await invalidateProfiles(rig.commands, rig.database.market, [{ kind: 'merchant', id: 'm' }]);
    await expectExact(rig, ours, backlog.slice(100, 200));
    await expectExact(rig, ours, backlog.slice(200, 300));
  },
  TIMEOUT_MS,
);
