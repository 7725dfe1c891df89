/** A backlog far behind the live traffic of the same merchant, and folds over one real Redis and Postgres by turns. */
import { expect } from 'vitest';
import { LABEL_MATURITY_DAYS } from '../../src/core/domain/history.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { createRecomputeVectors } from '../../src/core/profile/recompute-vectors.ts';
import { areCounted } from '../../src/core/store/profiles/counted-rows.ts';
import { readMark } from '../../src/core/store/profiles/profile-snapshots.ts';
import type { Query, Statement } from '../../src/kit/database/pool.ts';
import { type NamedFeatures, named } from './fold-one.ts';
import { startFold } from './fold-rig.ts';
import { waitUntil } from './wait-until.ts';
import { createWorkerRig, type WorkerRig } from './worker-rig.ts';

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
async function startFarBehind() {
  const rig = await createWorkerRig();
  const read = { rows: 0 };
  const query: Query = async <Row extends object>(
    statement: Statement,
    values?: readonly unknown[],
  ) => {
    const rows = await rig.pool.query<Row>(statement, values);
    if (statement.name === 'past-around-merchants') read.rows += rows.length;
    return rows;
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
  return { rig, read, ours, theirs, backlog, nextLive };
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

/** Folds the backlog and the live traffic by turns: neither rebuilds the profile of the other. */
export async function foldByTurns(): Promise<void> {
  const { rig, read, ours, theirs, backlog, nextLive } = await startFarBehind();
  await using _ = rig;
  const before = await ours.rebuilds('merchant');
  for (let done = 0; done < BACKLOG; done += 100) {
    await expectExact(rig, ours, backlog.slice(done, done + 100));
    await expectExact(rig, ours, await nextLive(40));
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
}
