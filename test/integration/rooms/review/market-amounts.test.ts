/**
 * Goal: amounts compare in the currency of the market, by the rates of the transaction's day; what cannot be compared takes two people.
 * Method: policies of several currencies, rates that people imported, and cases as a worker opens them.
 */
import { beforeEach, expect, test } from 'vitest';
import { insertPolicy } from '../../../../src/rooms/review/store/policies.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { FIRST_POLICY } from '../../../support/rooms/review/policy.ts';
import { createReviewRig } from '../../../support/rooms/review/rig.ts';

const rig = await openForFile(createReviewRig());

beforeEach(async () => {
  await rig.clear();
  await rig.testDatabase.sql('truncate exchange_rates');
  await putCurrency('USD');
});

const putCurrency = (currency: string) =>
  insertPolicy(rig.database, { ...FIRST_POLICY, currency }, rig.by('Cy'));
const importRates = (...rates: readonly (readonly [string, string, number])[]) =>
  rig.testDatabase.sql(
    `insert into exchange_rates (currency, day, usd)
     select r ->> 0, (r ->> 1)::date, (r ->> 2)::numeric from jsonb_array_elements($1::jsonb) r`,
    [JSON.stringify(rates)],
  );
type Row = Readonly<
  Record<'id' | 'amount' | 'market' | 'day' | 'priority' | 'state', string | null>
>;
const cases = () =>
  rig.testDatabase.sql<Row>(
    `select transaction_id as id, market_amount::text as amount, market_currency as market, rate_day::text as day,
            'P' || priority as priority, state from review_cases order by transaction_id`,
  );

test('a market in euros compares by the newest day up to the transaction that has the rates of both', async () => {
  await importRates(
    ['EUR', '2026-10-08', 1.1] as const,
    ['GBP', '2026-10-08', 1.32] as const,
    ['EUR', '2026-10-09', 1.2] as const,
    ['GBP', '2026-10-11', 1.4] as const,
    ['EUR', '2026-10-12', 1] as const,
    ['GBP', '2026-10-12', 9] as const,
  );
  await putCurrency('EUR');
  const on = (date: number) => {
    const at = { amount: '1000.00', createdAtMs: Date.UTC(2026, 9, date, 12) };
    return ['GBP', 'EUR', 'USD', 'NOK'].map((currency, ms) => ({
      ...{ ...at, currency },
      createdAtMs: at.createdAtMs + ms,
    }));
  };
  await rig.open([...on(7), ...on(8), ...on(10)]);
  const none = { amount: null, day: null, priority: 'P1' };
  const same = { amount: '1000.00', day: null, priority: 'P4' };
  const pound = { amount: '1200.00', day: '2026-10-08', priority: 'P1' };
  const found = await cases();
  expect(found).toMatchObject([
    none,
    same,
    none,
    none,
    pound,
    same,
    { amount: '909.09', day: '2026-10-08', priority: 'P4' },
    none,
    pound,
    same,
    { amount: '833.33', day: '2026-10-09', priority: 'P4' },
    none,
  ]);
  expect(new Set(found.map(({ market }) => market))).toEqual(new Set(['EUR']));
});
