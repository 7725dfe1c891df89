/** Compares stored tables and vectors with SQL, over a market that lived through a worker and nights. */
import { expect } from 'vitest';
import type { DayTable } from '../../../src/core/score/scorecard/day-table.ts';
import { findHead, readTable } from '../../../src/core/store/scorecards/scorecards.ts';
import { toVector } from '../../../src/core/store/scores/score-values.ts';
import type { Query } from '../../../src/kit/database/pool.ts';
import { named } from '../../support/fold-one.ts';
import { SLOTS } from '../../support/market-table.ts';
import { features } from '../../support/oracle/features.ts';
import type { AccountHistory, MerchantHistory } from '../../support/oracle/histories.ts';
import { createWorkerRig } from '../../support/worker-rig.ts';
import { type Asked, defineAccounts, defineShared } from '../profile/definition.ts';
import { defineTable } from './definition.ts';
import { live, MATURITY_DAYS, makePayments, type Payment, prepareMarket } from './market-days.ts';

const FIRST = 20_600;
const CHUNK = 500;
const READING_TIMEOUT_MS = 600_000;
const COMPARED = new Set([
  ...['hour_surprise', 'cell_amount_lift', 'type_lift', 'channel_lift'],
  ...['device_accounts_30d', 'device_age_hours', 'device_frauds'],
  ...['ip_accounts_24h', 'ip_age_hours', 'ip_frauds'],
  ...['segment_lift', 'distance_tail', 'known_lift'],
]);

/** Names of numbers that differ, with both values. */
function differences(stored: ReadonlyMap<string, number>, defined: ReadonlyMap<string, number>) {
  return [...new Set([...stored.keys(), ...defined.keys()])].flatMap((name) => {
    const [value = 'none', other = 'none'] = [stored.get(name), defined.get(name)];
    const isNear =
      Math.abs(Number(value) - Number(other)) <= 1e-9 * Math.max(1, Math.abs(Number(other)));
    return Object.is(value, other) || isNear ? [] : [{ name, value, other }];
  });
}

function numbersOf({ hours, lifts, cells, tails }: DayTable): Map<string, number> {
  const numbers = new Map([...hours].map((share, hour) => [`hour ${hour}`, share]));
  for (const [field, { byValue, others }] of [...lifts, ['cell', cells] as const]) {
    numbers.set(`others of ${field}`, others);
    for (const [value, lift] of byValue) numbers.set(`${field} ${value}`, lift);
  }
  for (const { above } of tails.values())
    above.forEach((count, bucket) => void numbers.set(`tail ${bucket}`, count));
  return numbers;
}

const comparedOf = (vector: Float64Array) =>
  new Map(Object.entries(named(vector, SLOTS)).filter(([name]) => COMPARED.has(name)));

/** Returns the table as SQL defines it. */
async function compareTable(query: Query, day: number): Promise<DayTable> {
  const table = await defineTable(query, day, MATURITY_DAYS);
  const stored = await readTable(query, (await findHead(query, day))?.serial ?? 0);
  const differing =
    stored === undefined ? stored : differences(numbersOf(stored.table), numbersOf(table));
  expect({ day, differing }).toEqual({ day, differing: [] });
  return table;
}

type Row = Asked & { readonly features: Buffer };

async function compareVectors(query: Query, payments: readonly Payment[], table: DayTable | null) {
  const rows = await query<Row>(
    {
      text: `select u.id as "transactionId", s.features, round(extract(epoch from t.received_at) * 1000)::float8 as "knownUntilMs"
               from unnest($1::uuid[]) with ordinality u (id, nth)
               join market.scores s on s.transaction_id = u.id join market.transactions t on t.transaction_id = u.id order by nth`,
    },
    [payments.map(({ transaction }) => transaction.transactionId)],
  );
  const accounts = await defineAccounts(query, rows);
  const devices = await defineShared(query, 'device', rows);
  const addresses = await defineShared(query, 'address', rows);
  const differing = payments.flatMap(({ transaction }, nth) => {
    const [account, others] = [accounts[nth] as AccountHistory, {} as MerchantHistory];
    const parties = [devices[nth], addresses[nth]] as const;
    const defined = features(transaction, account, others, table, SLOTS, ...parties);
    const stored = toVector(rows[nth]?.features ?? Buffer.alloc(0));
    return differences(comparedOf(stored), comparedOf(defined));
  });
  expect(differing).toEqual([]);
}

/**
 * Lets payments come for so many days, and compares all tables and vectors; returns the most texts that a table names.
 * @param every a payment in so many has its vector compared
 */
export async function compareMarket(
  count: number,
  paymentsADay: number,
  every = 1,
): Promise<number> {
  await using rig = await createWorkerRig();
  const days = Array.from({ length: count }, (_, nth) => FIRST + nth);
  const made = days.map((day) => makePayments(day, paymentsADay, 'sql'));
  await prepareMarket(rig, days);
  await live(rig, made.flatMap((payments, nth) => [{ night: FIRST + nth }, { payments }]).slice(1));
  await using reading = rig.database.open({ statementTimeoutMs: READING_TIMEOUT_MS });
  const { query } = reading;
  for (const by of [
    'labels (device_id)',
    'labels (ip_party)',
    'transactions (ip_party, created_at)',
  ])
    await query({ text: `create index on market.${by}` });
  await query({ text: 'analyze market.transactions, market.labels' });
  let names = 0;
  for (const [nth, payments] of made.entries()) {
    const table = nth === 0 ? null : await compareTable(query, FIRST + nth);
    names = Math.max(names, table?.lifts.get('metadata.segment')?.byValue.size ?? 0);
    const compared = payments.filter((_, of) => of % every === 0);
    for (let from = 0; from < compared.length; from += CHUNK)
      await compareVectors(query, compared.slice(from, from + CHUNK), table);
  }
  return names;
}
