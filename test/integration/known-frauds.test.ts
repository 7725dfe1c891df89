/**
 * Goal: what is read of a merchant's frauds is what its points see, however many there are and however often they
 * were labelled. Method: labels in a real Postgres, and the spans that are made of them.
 */
import { beforeEach, expect, test } from 'vitest';
import { FRAUDS_SEEN_MAX, LABEL_MATURITY_DAYS } from '../../src/core/domain/history.ts';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { merchantKind } from '../../src/core/profile/kinds.ts';
import type { MerchantProfile } from '../../src/core/profile/merchant-profile.ts';
import { knowsFrauds, seenFrauds } from '../../src/core/profile/tallies.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { loadMerchantPasts } from '../../src/core/store/profiles/history.ts';
import { createLoadFrauds } from '../../src/core/store/profiles/known-frauds.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { openTestDatabase } from '../support/database.ts';
import { foldOne } from '../support/fold-one.ts';
import { idAt } from '../support/stored-rows.ts';
import { payload } from '../support/stream-rig.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const AT_MS = Date.UTC(2026, 5, 20);
const SINCE_MS = AT_MS - 30 * DAY_MS;
type PagesPlan = {
  'QUERY PLAN': [{ Plan: { 'Shared Hit Blocks': number; 'Shared Read Blocks': number } }];
};
const POINT = { party: 'm_1', atMs: AT_MS, sinceMs: SINCE_MS };
const load = createLoadFrauds('merchant_id', FRAUDS_SEEN_MAX + 1, 513);
const loadFrauds = async (...asked: Parameters<typeof load>) =>
  (await load(...asked)).map(({ known }) => known);

const { database } = await openTestDatabase();
await ensurePartitions(database, [monthOf(SINCE_MS), monthOf(AT_MS)]);

beforeEach(async () => {
  await database.query({ text: 'delete from market.labels' }, []);
});
/** Labels `count` transactions of the merchant, one a minute before `newestMs`. */
async function label(
  { count, newestMs }: { readonly count: number; readonly newestMs: number },
  said: {
    readonly label: string;
    readonly atMs: number;
    readonly sources?: number;
    readonly ratio?: number;
  },
): Promise<void> {
  await database.query(
    {
      text: `insert into market.labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id,
               account_id, merchant_id, amount_to_median)
             select 'default', md5(at::text)::uuid, at, to_timestamp($3::float8 / 1000), $4, 'source_' || s, to_timestamp($3::float8 / 1000),
                    gen_random_uuid(), 'acc_1', 'm_1', $6::float8
               from generate_series(0, $1::int - 1) n
              cross join to_timestamp(($2::float8 - n * 60000) / 1000) at
              cross join generate_series(1, $5::int) s`,
    },
    [count, newestMs, said.atMs, said.label, said.sources ?? 1, said.ratio ?? null],
  );
}

test('a point sees its fill of known frauds past those that are labelled later or were taken back', async () => {
  const later = { count: 300, newestMs: AT_MS - MINUTE_MS };
  const takenBack = { count: 300, newestMs: AT_MS - DAY_MS };
  const known = { count: FRAUDS_SEEN_MAX + 10, newestMs: AT_MS - 2 * DAY_MS };
  await label(later, { label: 'fraud', atMs: AT_MS + DAY_MS });
  await label(takenBack, { label: 'fraud', atMs: AT_MS - 3 });
  await label(takenBack, { label: 'legitimate', atMs: AT_MS - 2 });
  await label(known, { label: 'fraud', atMs: AT_MS - 1 });

  const [frauds] = await loadFrauds(database.query, [POINT]);
  if (frauds === undefined) throw new Error('nothing for the point');
  const seen = seenFrauds(frauds, AT_MS, SINCE_MS);
  expect(seen).toHaveLength(FRAUDS_SEEN_MAX);
  expect(seen[0]?.createdAtMs).toBe(known.newestMs);
  expect(frauds.floorMs).toBe(known.newestMs - FRAUDS_SEEN_MAX * MINUTE_MS);
  expect(knowsFrauds(frauds, AT_MS, SINCE_MS)).toBe(true);
  expect(seenFrauds(frauds, AT_MS + DAY_MS, SINCE_MS)[0]?.createdAtMs).toBe(later.newestMs);
});

test('a profile that lacks frauds which others will see takes in nothing after its point', async () => {
  const unread = { count: 50, newestMs: AT_MS - 3 * DAY_MS };
  const later = { count: FRAUDS_SEEN_MAX + 1, newestMs: AT_MS - DAY_MS };
  await label(unread, { label: 'fraud', atMs: AT_MS + DAY_MS });
  await label(later, { label: 'fraud', atMs: AT_MS + 9 * DAY_MS });
  const [point, next] = [AT_MS, AT_MS + 2 * DAY_MS].map(
    (createdAtMs) => payload(0, { createdAtMs, transactionId: idAt(createdAtMs, 0) }).transaction,
  ) as [Transaction, Transaction];
  const around = loadMerchantPasts(database.query, [point, next], LABEL_MATURITY_DAYS);
  const profiles = (await Array.fromAsync(around)).map((past) => merchantKind.rebuild(past));
  const [ofPoint, ofNext] = profiles as [MerchantProfile, MerchantProfile];
  const fold = (profile: MerchantProfile, transaction: Transaction) =>
    foldOne(merchantKind, profile, transaction)?.merchant_young_frauds;
  expect(fold(ofPoint, point)).toBe(0);
  expect(fold(ofPoint, next)).toBeUndefined();
  expect(fold(ofNext, next)).toBe(50);
});

test('fraud wins among more labels of one time than are read', async () => {
  const one = { count: 1, newestMs: AT_MS - MINUTE_MS };
  await label(one, { label: 'legitimate', atMs: AT_MS - 1, sources: 40 });
  await label(one, { label: 'fraud', atMs: AT_MS - 1 });
  const [frauds] = await loadFrauds(database.query, [POINT]);
  expect(frauds?.spans).toHaveLength(1);
});

test('reads a bounded number of labels however many frauds are known', async () => {
  await label({ count: 7000, newestMs: AT_MS - MINUTE_MS }, { label: 'fraud', atMs: AT_MS - 1 });
  await label({ count: 700, newestMs: AT_MS - MINUTE_MS }, { label: 'fraud', atMs: AT_MS + 1 });
  await label(
    { count: 3000, newestMs: AT_MS + 10 * DAY_MS },
    { label: 'fraud', atMs: AT_MS + 20 * DAY_MS },
  );
  await database.query({ text: 'vacuum analyze market.labels' });
  let read = 0;
  const query: Query = async (statement, values) => {
    if (statement.name?.startsWith('frauds-around')) {
      const text = `explain (analyze, format text) ${statement.text}`;
      const plan = await database.query<{ 'QUERY PLAN': string }>({ text }, values);
      for (const { 'QUERY PLAN': line } of plan) {
        const [, rows = '0', loops = '0'] =
          /on labels_.*rows=([\d.]+) loops=(\d+)/.exec(line) ?? [];
        read += Number(rows) * Number(loops);
      }
    }
    return await database.query(statement, values);
  };
  const [frauds] = await loadFrauds(query, [POINT]);
  expect(frauds?.spans.length).toBeGreaterThan(FRAUDS_SEEN_MAX);
  expect(read).toBeGreaterThan(FRAUDS_SEEN_MAX);
  expect(read).toBeLessThan(12 * FRAUDS_SEEN_MAX);
});

test('reads a bounded number of pages however many labels other parties have at that time', async () => {
  await database.query({
    text: `insert into market.labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id,
             account_id, merchant_id)
           select 'default', gen_random_uuid(), at, at + interval '1 hour', case when n % 2000 = 0 then 'fraud' else 'legitimate' end,
                  'bank', at + interval '1 hour', gen_random_uuid(), 'acc_' || n % 5000,
                  case when n % 2000 = 0 then 'm_1' else 'm_' || 2 + n % 3000 end
             from generate_series(1, 20000) n
            cross join to_timestamp(${(AT_MS - DAY_MS) / 1000} - n * 30) at`,
  });
  await database.query({ text: 'vacuum analyze market.labels' });
  let pages = 0;
  const query: Query = async (statement, values) => {
    if (statement.name?.startsWith('frauds-around')) {
      const text = `explain (analyze, buffers, format json) ${statement.text}`;
      const [plan] = await database.query<PagesPlan>({ text }, values);
      const root = plan?.['QUERY PLAN'][0]?.Plan;
      pages += (root?.['Shared Hit Blocks'] ?? 0) + (root?.['Shared Read Blocks'] ?? 0);
    }
    return await database.query(statement, values);
  };
  const [frauds] = await loadFrauds(query, [POINT]);
  expect(frauds?.spans).toHaveLength(10);
  expect(pages).toBeGreaterThan(10);
  expect(pages).toBeLessThan(400);
});
