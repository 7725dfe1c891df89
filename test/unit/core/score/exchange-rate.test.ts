/** Goal: an amount of one currency reaches another by the rates of its day. Method: rates of three days. */
import { expect, test } from 'vitest';
import { rateOfRows } from '../../../../src/core/score/exchange-rate.ts';
import { DAY_MS } from '../../../../src/kit/words/utc-bucket.ts';

const rateOf = rateOfRows([
  { currency: 'EUR', day: 10, usd: 1.25 },
  { currency: 'EUR', day: 12, usd: 1.5 },
  { currency: 'EGP', day: 11, usd: 0.02 },
]);
const on = (day: number, currency: string) => ({ currency, createdAtMs: day * DAY_MS + 5 });

test.each([
  ['EUR', on(10, 'USD'), 1.25],
  ['EUR', on(11, 'USD'), 1.25],
  ['EUR', on(12, 'USD'), 1.5],
  ['USD', on(12, 'EUR'), 1 / 1.5],
  ['EUR', on(12, 'EGP'), 75],
  // Before all rates the oldest stand in.
  ['EUR', on(3, 'USD'), 1.25],
  // A currency needs no rate to itself.
  ['PKR', on(12, 'PKR'), 1],
  ['PKR', on(12, 'USD'), undefined],
  ['USD', on(12, 'PKR'), undefined],
] as const)('one %s in %j is %s', (currency, payment, rate) => {
  expect(rateOf(currency, payment)).toBe(rate);
});
