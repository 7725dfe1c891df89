/**
 * Goal: a profile that is made of its snapshot in Postgres equals a rebuild from all rows, whatever was stored since, and its readers look
 * back no further than they must. Method: a worker folds and stores snapshots; Redis loses all logs; a new worker folds on from
 * snapshots, and another one from rows alone. A mark is read beside sessions that have a database transaction under way.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { acceptLabels } from '../../src/core/accept/accept-labels.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { attachMonth, detachMonth } from '../../src/core/store/partitions/detach-months.ts';
import {
  readMark,
  removeForeignSnapshots,
  storeSnapshots,
} from '../../src/core/store/profiles/profile-snapshots.ts';
import { CORE_TABLES } from '../../src/core/store/tables.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { engineOf } from '../../src/kit/words/principal.ts';
import { createTestDatabase } from '../support/database.ts';
import { startFold } from '../support/fold-rig.ts';
import { openLabelIngest } from '../support/label-ingest.ts';
import { startRunningApi } from '../support/running-api.ts';
import { input, postOne } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, type WorkerRig } from '../support/worker-rig.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** The time of the last transactions. */
const NOW_MS = Date.now();

const seedAt = (createdAtMs: number) => ({ createdAtMs, accountId: 'acc', merchantId: 'm' });
/** A transaction a day. */
const PAST = Array.from({ length: 20 }, (_, day) => seedAt(NOW_MS - (50 - day) * DAY_MS));

const start = ({ commands, database, pool }: WorkerRig, hasSnapshots = true) =>
  startFold({ redis: commands, query: pool.query, market: database.market, hasSnapshots });

/** The month of the oldest transactions: some of PAST, and none of RECENT. */
const OLD_MONTH = monthOf(NOW_MS - 50 * DAY_MS);
const RECENT = Array.from({ length: 10 }, (_, day) => seedAt(NOW_MS - (19 - day) * DAY_MS));
/** Transactions that are left while the month is detached, beside the one that is folded. */
const KEPT = [...PAST, ...RECENT, seedAt(NOW_MS - 25 * DAY_MS)].filter(
  ({ createdAtMs }) => monthOf(createdAtMs) !== OLD_MONTH,
).length;

/**
 * The account and the merchant have a snapshot, and no log is left.
 * @param prepare changes the stored past before the snapshots are made
 */
async function snapshotParties(
  rig: WorkerRig,
  prepare: () => Promise<unknown> = async () => undefined,
): Promise<void> {
  const worker = start(rig);
  await rig.store(PAST);
  await prepare();
  await worker.fold(await rig.store([seedAt(NOW_MS - 25 * DAY_MS)]));
  await waitUntil(async () => (await worker.snapshots('stored')) === 2, 10_000, 'both snapshots');
  await rig.commands.flushall();
}

/** A new transaction is folded by a worker that finds no snapshot, and so reads its rows. @returns its siblings */
async function foldRows(rig: WorkerRig): Promise<number | undefined> {
  const worker = start(rig);
  const [row] = await worker.fold(await rig.store([seedAt(NOW_MS)]));
  expect(await worker.fromSnapshots()).toBe(0);
  return row?.siblings;
}

/** Runs the steps that remove rows of a table by their age. */
async function purge({ pool: { query } }: WorkerRig, table: string): Promise<void> {
  const purges = CORE_TABLES.flatMap((one) => one.purges ?? []);
  const found = purges.filter((one) => one.table === table);
  expect(found).toHaveLength(1);
  for (const { step } of found) await step(query, []);
}

const COUNT = { text: 'select count(*)::int4 as count from market.profile_snapshots' };

const labelFraud = (rig: WorkerRig, { transactionId }: Transaction) =>
  acceptLabels(openLabelIngest(rig), {
    ...{ client: 'default', identity: null, clientSeen: null },
    inputs: [
      {
        transaction_id: transactionId,
        label: 'fraud',
        labelled_at: new Date(NOW_MS - DAY_MS).toISOString(),
        source: 'bank',
      },
    ],
  });

test('a snapshot and the rows stored since make the same profile as all rows', async () => {
  await using rig = await createWorkerRig();
  await snapshotParties(rig);
  // Between older rows, and beside the point.
  await rig.store([seedAt(NOW_MS - 26 * DAY_MS), seedAt(NOW_MS - 2 * DAY_MS)]);
  const transactions = await rig.store([seedAt(NOW_MS)]);
  const worker = start(rig);
  const made = await worker.fold(transactions);
  expect([await worker.fromSnapshots(), made[0]?.siblings]).toEqual([2, 23]);
  await rig.commands.flushall();
  expect(made).toEqual(await start(rig, false).fold(transactions));
});

test('a label voids the snapshots of its parties', async () => {
  await using rig = await createWorkerRig();
  await snapshotParties(rig);
  const [labelled] = await rig.store([seedAt(NOW_MS - 3 * DAY_MS)]);
  await labelFraud(rig, labelled as Transaction);
  expect(
    await rig.pool.query({ text: 'select kind, party from market.snapshot_voids order by kind' }),
  ).toEqual([
    { kind: 'account', party: 'acc' },
    { kind: 'merchant', party: 'm' },
  ]);
  await foldRows(rig);
});

test('a snapshot read before a label committed is void, although it is stored later', async () => {
  await using rig = await createWorkerRig();
  const [labelled] = await rig.store([seedAt(NOW_MS - 3 * DAY_MS)]);
  await rig.store(PAST);
  const { promise: isLabelled, resolve } = Promise.withResolvers<void>();
  const worker = startFold({
    redis: rig.commands,
    market: rig.database.market,
    query: async (statement, values) => {
      if (statement.name === 'store-snapshots') await isLabelled;
      return await rig.pool.query(statement, values);
    },
  });
  await worker.fold(await rig.store([seedAt(NOW_MS - MINUTE_MS)]));
  await labelFraud(rig, labelled as Transaction);
  resolve();
  await waitUntil(async () => (await worker.snapshots('stored')) === 2, 10_000, 'both snapshots');
  await rig.commands.flushall();
  await foldRows(rig);
});

test('snapshots of another cluster, which are ahead of this one, are removed', async () => {
  await using rig = await createWorkerRig();
  await snapshotParties(rig);
  const { query } = rig.pool;
  await removeForeignSnapshots(query);
  expect(await query(COUNT)).toEqual([{ count: 2 }]);
  await query({ text: "update market.profile_snapshots set folded_to = '9000000000'" });
  const worker = start(rig);
  await worker.fold(await rig.store([seedAt(NOW_MS)]));
  expect(await worker.fromSnapshots()).toBe(0);
  // The worker writes snapshots after the fold, and leaves those that are ahead as they are.
  await waitUntil(async () => (await worker.snapshots('stored')) === 2, 10_000, 'both snapshots');
  await removeForeignSnapshots(query);
  expect(await query(COUNT)).toEqual([{ count: 0 }]);
});

test('a month that is detached voids all snapshots, whose rows go', async () => {
  await using rig = await createWorkerRig();
  await snapshotParties(rig, () => rig.store(RECENT));
  await detachMonth(rig.pool, OLD_MONTH);
  expect(await foldRows(rig)).toBe(KEPT);
});

test('a month that is attached voids all snapshots, which lack its rows', async () => {
  await using rig = await createWorkerRig();
  await snapshotParties(rig, async () => {
    await rig.store(RECENT);
    await detachMonth(rig.pool, OLD_MONTH);
    // The void of the detachment goes, so that the void of the attachment is seen alone.
    await rig.pool.query({ text: 'truncate market.snapshot_voids' });
  });
  await attachMonth(rig.pool, OLD_MONTH, engineOf('test'));
  expect(await foldRows(rig)).toBe(PAST.length + RECENT.length + 1);
});

test('a void takes the snapshots that it voids along when it is purged', async () => {
  await using rig = await createWorkerRig();
  await snapshotParties(rig);
  const [labelled] = await rig.store([seedAt(NOW_MS - 3 * DAY_MS)]);
  await labelFraud(rig, labelled as Transaction);
  const { query } = rig.pool;
  await purge(rig, 'snapshot_voids');
  expect(await query(COUNT)).toEqual([{ count: 2 }]);
  await query({ text: "update market.snapshot_voids set voided_at = now() - interval '2 hours'" });
  await purge(rig, 'snapshot_voids');
  expect(await query({ text: 'select from market.snapshot_voids' })).toEqual([]);
  await foldRows(rig);
});

test('a void of all snapshots stays, and the snapshots go', async () => {
  await using rig = await createWorkerRig();
  await snapshotParties(rig, () => rig.store(RECENT));
  const { query } = rig.pool;
  await purge(rig, 'profile_snapshots');
  expect(await query(COUNT)).toEqual([{ count: 2 }]);
  await detachMonth(rig.pool, OLD_MONTH);
  await query({ text: "update market.snapshot_voids set voided_at = now() - interval '2 hours'" });
  await purge(rig, 'snapshot_voids');
  expect(await query({ text: 'select kind from market.snapshot_voids' })).toEqual([
    { kind: 'every' },
  ]);
  await purge(rig, 'profile_snapshots');
  expect(await query(COUNT)).toEqual([{ count: 0 }]);
});

test('a snapshot replaces none that is as new', async () => {
  await using rig = await createWorkerRig();
  const { query } = rig.pool;
  const stored: string[] = [];
  for (const foldedTo of ['20', '10', '21']) {
    const snapshot = new TextEncoder().encode(foldedTo);
    const rowsFrom = new Date(NOW_MS).toISOString();
    await storeSnapshots(query, 'account', [{ party: 'acc', foldedTo, rowsFrom, snapshot }]);
    const text = "select convert_from(snapshot, 'UTF8') as snapshot from market.profile_snapshots";
    stored.push(...(await query<{ snapshot: string }>({ text })).map((row) => row.snapshot));
  }
  expect(stored).toEqual(['20', '20', '21']);
});

test('a commit of late rows says how far back they lie, unless one of its bucket has', async () => {
  await using api = await startRunningApi();
  const post = async (lateMs: number) => {
    const created_at = new Date(NOW_MS - lateMs).toISOString();
    expect((await postOne(api, input({ created_at }))).status).toBe(201);
    return await api.database.query<{ lateMs: number }>(
      {
        text: `select round($1::float8 - extract(epoch from from_at)::float8 * 1000)::float8 as "lateMs"
               from market.late_rows order by from_at desc`,
      },
      [NOW_MS],
    );
  };
  // Ahead of the clock, as a busy machine makes any other one late.
  expect(await post(NOW_MS - Date.now() - 30_000)).toEqual([]);
  expect(await post(60 * MINUTE_MS)).toEqual([{ lateMs: 60 * MINUTE_MS }]);
  expect(await post(30 * MINUTE_MS)).toEqual([{ lateMs: 60 * MINUTE_MS }]);
  const both = [{ lateMs: 60 * MINUTE_MS }, { lateMs: 90 * MINUTE_MS }];
  expect(await post(90 * MINUTE_MS)).toEqual(both);
});

test('a profile that ends at a ceiling gets no snapshot', async () => {
  await using rig = await createWorkerRig();
  // An account's rebuild reads 64 rows behind its point, and a merchant's more.
  await rig.store(Array.from({ length: 80 }, (_, nth) => seedAt(NOW_MS - nth * MINUTE_MS)));
  const worker = start(rig);
  await worker.fold(await rig.store([seedAt(NOW_MS - DAY_MS)]));
  await waitUntil(async () => (await worker.snapshots('stored')) > 0, 10_000, 'a snapshot');
  const { query } = rig.pool;
  expect(await query({ text: 'select kind from market.profile_snapshots' })).toEqual([
    { kind: 'merchant' },
  ]);
});

/** Milliseconds between the mark's time and the beginning of the database transaction of `query`. */
async function msBefore(query: Query, rowsFrom: string): Promise<number> {
  const text = `select extract(epoch from now() - $1::timestamptz)::float8 * 1000 as ms`;
  const [row] = await query<{ ms: number }>({ text }, [rowsFrom]);
  return row?.ms ?? Number.NaN;
}

test('rows are looked for from when the oldest database transaction under way began', async () => {
  await using database = await createTestDatabase();
  await using pool = database.open();
  const { rowsFrom: during } = await pool.transaction(async (query) => {
    expect(await msBefore(query, (await readMark(pool.query)).rowsFrom)).toBe(0);
    return await readMark(pool.query);
  });
  const { rowsFrom: after } = await readMark(pool.query);
  expect(await msBefore(pool.query, during)).toBeGreaterThan(await msBefore(pool.query, after));
});

test('a session whose times are hidden, and which may store rows, counts as old', async () => {
  await using database = await createTestDatabase();
  const role = `reader_${randomUUID().replaceAll('-', '')}`;
  await database.sql(`create role ${role} login password '${role}'`);
  try {
    const url = new URL(database.url);
    [url.username, url.password] = [role, role];
    await using hidden = database.open();
    await using pool = database.open({ url: url.href });
    await database.sql(`grant usage on schema ${database.market} to ${role}`);
    await hidden.query({ text: 'select 1' });
    const { rowsFrom } = await readMark(pool.query);
    expect(await msBefore(pool.query, rowsFrom)).toBeGreaterThanOrEqual(10_000);
  } finally {
    await database.sql(`revoke usage on schema ${database.market} from ${role}; drop role ${role}`);
  }
});
