/** Goal: an amount is compared with the percentile of its day in the market's currency, or not at all. Method: rows by hand. */
import { expect, test } from 'vitest';
import { FRESH_DAYS } from '../../../../src/core/domain/corridor.ts';
import { vectorOf } from '../../../../src/core/domain/feature-rows.ts';
import { featureOf } from '../../../../src/core/domain/feature-schema.ts';
import { arrivalsOf } from '../../../../src/core/profile/arrivals.ts';
import { beginRows, createCorridorAmounts } from '../../../../src/core/profile/fold-batch.ts';

const DAY_MS = 86_400_000;
const DAY = 20_000;
const ratioOf = featureOf('amount_to_corridor');

const amounts = createCorridorAmounts({
  percentiles: [
    { day: DAY - 1, corridor: 'US-EG', currency: 'USD', amount: 400 },
    { day: DAY, corridor: 'US-EG', currency: 'USD', amount: 500 },
    { day: DAY, corridor: 'US-MX', currency: 'EUR', amount: 100 },
  ],
  rates: [
    { day: DAY, currency: 'EGP', usd: 0.02 },
    { day: DAY, currency: 'EUR', usd: 1.25 },
  ],
});

type Case = { readonly at?: number; readonly corridor?: string; readonly currency?: string };

function ratio(amount: string, { at = DAY * DAY_MS, corridor = 'US-EG', currency = 'USD' }: Case) {
  const { rows } = beginRows(
    arrivalsOf([
      {
        ...{ transactionId: '01a212d8-e6cb-777a-b32e-4b8864f80685', createdAtMs: at },
        ...{ accountId: 'a', merchantId: 'm', deviceId: null, country: null },
        ...{ corridor, currency, amount },
      },
    ]),
    amounts,
  );
  return ratioOf(vectorOf(rows, 0));
}

test.each<[string, string, Case, number]>([
  ['in the currency of the market', '1000', {}, 2],
  ['a cent', '0.01', {}, 0.01 / 500],
  ['in a currency with a rate', '50000', { currency: 'EGP' }, 2],
  ['in a currency without a rate', '50000', { currency: 'PHP' }, Number.NaN],
  ['in dollars where the market has another currency', '250', { corridor: 'US-MX' }, 2],
  ['of a corridor without a percentile', '1000', { corridor: 'US-PH' }, Number.NaN],
  ['a moment before midnight, by the day before', '1000', { at: DAY * DAY_MS - 1 }, 2.5],
  ['before any percentile', '1000', { at: (DAY - 1) * DAY_MS - 1 }, Number.NaN],
  ['while newer days lack one', '1000', { at: (DAY + FRESH_DAYS) * DAY_MS - 1 }, 2],
  ['once the newest is too old', '1000', { at: (DAY + FRESH_DAYS) * DAY_MS }, Number.NaN],
])('an amount by the percentile of its corridor: %s', (_, amount, seed, expected) => {
  expect(ratio(amount, seed)).toBe(expected);
});
