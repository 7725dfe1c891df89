/**
 * Goal: a list of labels has what its filter says, page by page, and reads no more rows than a question may. Method: labels
 * over months on real Postgres, compared with the same filter in plain code; the rows of each plan are counted.
 */
import { expect, test } from 'vitest';
import { SLICE_ROWS_EXAMINED_MAX } from '../../../../src/core/store/partitions/month-slice.ts';
import type { Query } from '../../../../src/kit/database/pool.ts';
import { labelListParameters } from '../../../../src/rooms/labels/parameters.ts';
import { searchLabels } from '../../../../src/rooms/labels/routes.ts';
import { searchStoredLabels } from '../../../../src/rooms/labels/store.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { allPages, alone, DAY_MS, NOVEMBER } from '../../../support/reads.ts';
import { rowsRead } from '../../../support/rows-read.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';

/** More than one slice looks at. */
const LABELS = SLICE_ROWS_EXAMINED_MAX + 2000;
const MONTHS = 6;

/** Newest first, two of each time; one comes up to 90 days after its transaction. */
const SEEDS = Array.from({ length: LABELS }, (_, n) => {
  const labelledAtMs = NOVEMBER - Math.floor(n / 2) * 60_000;
  return { n, labelledAtMs, id: idAt(labelledAtMs - (n % 90) * DAY_MS, n) };
}).sort((a, b) => b.labelledAtMs - a.labelledAtMs || (a.id < b.id ? 1 : -1));
type Seed = (typeof SEEDS)[number];

const insertTransactions = `
  insert into transactions (transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency, client)
  select (lpad(to_hex(at), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, to_timestamp(at / 1000.0), now(),
         'acc_' || n % 100, 'm_' || n % 10, 'US-EG', 1, 'USD', case when n % 4 = 0 then 'shop' else 'bank' end
    from generate_series(0, $2::int - 1) n, lateral (select $1::bigint - n / 2 * 60000::bigint - n % 90 * 86400000::bigint as at) times`;
const insertLabels = `
  insert into labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id)
  select 'default', transaction_id, created_at, created_at + n % 90 * interval '1 day', case when n % 50 = 0 then 'fraud' else 'legitimate' end,
         case when n = $1 - 1 then 'needle' else 's' || n % 3 end,
         created_at + n % 90 * interval '1 day', transaction_id, account_id, merchant_id
    from transactions, lateral (select ('x' || right(transaction_id::text, 8))::bit(32)::int as n) numbers`;

const { testDatabase, database } = await openTestDatabase();
const databases = alone(database);
const months = Array.from({ length: MONTHS }, (_, month) => NOVEMBER - month * 30 * DAY_MS);
await storeTransactions(
  database,
  months.map((createdAtMs) => ({ createdAtMs })),
);
await testDatabase.sql('delete from transactions');
await testDatabase.sql(insertTransactions, [NOVEMBER, LABELS]);
await testDatabase.sql(insertLabels, [LABELS]);
await testDatabase.sql('analyze transactions, labels');

const list = (query: Record<string, string>, client: string | null = null, from = databases) =>
  searchLabels(from, labelListParameters.parse(query), client);

const from = new Date(NOVEMBER - 3 * DAY_MS).toISOString();
const to = new Date(NOVEMBER - DAY_MS).toISOString();
const within = ({ labelledAtMs }: Seed) =>
  labelledAtMs >= Date.parse(from) && labelledAtMs < Date.parse(to);
const ID = SEEDS[4321]?.id ?? '';

/** Filter, client, the rows of labels that the first page may read at most, and the same filter in code. */
const FILTERS: [Record<string, string>, string | null, number, (seed: Seed) => boolean][] = [
  [{ account_id: 'acc_7' }, null, 600, ({ n }) => n % 100 === 7],
  [{ account_id: 'acc_7', from, to }, null, 600, (seed) => seed.n % 100 === 7 && within(seed)],
  [{ account_id: 'acc_13', merchant_id: 'm_3' }, null, 600, ({ n }) => n % 100 === 13],
  [{ account_id: 'acc_13', merchant_id: 'm_4' }, null, 600, () => false],
  [{ account_id: 'nobody' }, null, 0, () => false],
  [{ merchant_id: 'm_0', label: 'fraud' }, null, 2400, ({ n }) => n % 50 === 0],
  [{ merchant_id: 'm_3', from, to }, null, 600, (seed) => seed.n % 10 === 3 && within(seed)],
  [{ label: 'fraud' }, null, 4000, ({ n }) => n % 50 === 0],
  [{ source: 's1', from, to }, null, 600, (seed) => seed.n % 3 === 1 && within(seed)],
  [{ from, to }, null, 600, within],
  [{ transaction_id: ID }, null, 1, ({ id }) => id === ID],
  [{ transaction_id: idAt(NOVEMBER, 7_777_777) }, null, 0, () => false],
  // Read once in search of it, and once more to find where a slice ends.
  [{ source: 'needle' }, null, 2 * LABELS + 1000, ({ n }) => n === LABELS - 1],
  [{ from, to }, 'shop', 1200, (seed) => seed.n % 4 === 0 && within(seed)],
  [{ account_id: 'acc_13' }, 'shop', 600, () => false],
  [{ account_id: 'acc_12' }, 'shop', 600, ({ n }) => n % 100 === 12],
  [{ transaction_id: ID }, 'nobody', 2, () => false],
];

test.each(FILTERS)('%o of the client %s', async (query, client, rowsMax, matches) => {
  const expected = SEEDS.filter(matches).map(({ id }) => id);
  expect(await allPages((page) => list(page, client), { ...query, limit: '200' })).toEqual(
    expected,
  );
  const short = await list({ ...query, limit: '7' }, client);
  const next = short.next_cursor === null ? [] : await secondPage(query, client, short.next_cursor);
  expect([...short.items, ...next].map((item) => item.transaction_id)).toEqual(
    expected.slice(0, 14),
  );
  const read = await rowsRead(database, async (spy: Query) => {
    const spied = { ...databases, primary: { ...database, query: spy } };
    return await list(query, client, spied);
  });
  const rows = [...read].filter(([table]) => table.startsWith('labels_'));
  expect(rows.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(rowsMax);
  expect([...read.keys()].filter((table) => table.startsWith('transactions_')).length > 0).toBe(
    client !== null && rows.some(([, count]) => count > 0),
  );
});

async function secondPage(query: Record<string, string>, client: string | null, cursor: string) {
  return (await list({ ...query, limit: '7', cursor }, client)).items;
}

test('a label is listed once while others arrive between its slice and where that ends', async () => {
  const LATE = 60;
  const late = `insert into labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id)
    select 'default', transaction_id, created_at, $1, 'legitimate', 'late', $1, transaction_id, account_id, merchant_id from transactions limit ${LATE}`;
  let statements = 0;
  const query: Query = async (statement, values) => {
    statements += 1;
    if (statements === 2) await testDatabase.sql(late, [new Date(NOVEMBER + DAY_MS)]);
    return await database.query(statement, values);
  };
  const filter = { label: 'fraud', client: null } as const;
  const first = await searchStoredLabels({ query }, filter, undefined, LABELS);
  const rest = await searchStoredLabels(database, filter, first.reached ?? undefined, LABELS);
  await testDatabase.sql("delete from labels where source = 'late'");
  expect([statements, first.reached === null, rest.reached]).toEqual([2, false, null]);
  const ids = [...first.rows, ...rest.rows].map(({ transaction_id: id }) => id);
  expect(ids).toEqual(SEEDS.filter(({ n }) => n % 50 === 0).map(({ id }) => id));
});
