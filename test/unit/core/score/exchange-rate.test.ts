/** Goal: an amount of one currency reaches another by the rates of its day. Method: rates of three days, and a clock of the test. */
import { expect, test } from 'vitest';
import { rateOfRows } from '../../../../src/core/score/rules/rule-inputs.ts';
import { createRates } from '../../../../src/core/store/amounts/exchange-rates.ts';
import type { Query } from '../../../../src/kit/database/pool.ts';
import { DAY_MS } from '../../../../src/kit/words/range.ts';

const rateOf = rateOfRows([
  { currency: 'EUR', day: 10, usd: 1.25 },
  { currency: 'EUR', day: 12, usd: 1.5 },
  { currency: 'EGP', day: 11, usd: 0.02 },
]);
const on = (day: number, currency: string) => ({ currency, createdAtMs: day * DAY_MS + 5 });

test('rates are read at most once in 60 s by all who ask, and again after a failure', async () => {
  let [nowMs, reads, isDown] = [1000, 0, false];
  const query = (async () => {
    reads++;
    if (isDown) throw new Error('down');
    return [{ currency: 'EUR', day: 1, usd: 1 + reads / 4 }];
  }) as unknown as Query;
  const rates = createRates(query, () => nowMs);
  const ask = async () => (await rates())('EUR', on(2, 'USD'));
  expect(await Promise.all([ask(), ask()])).toEqual([1.25, 1.25]);
  nowMs += 60_000;
  expect([await ask(), reads]).toEqual([1.25, 1]);
  nowMs += 1;
  expect([await ask(), reads]).toEqual([1.5, 2]);
  isDown = true;
  nowMs += 60_001;
  await expect(Promise.all([ask(), ask()])).rejects.toThrow('down');
  isDown = false;
  expect([await ask(), reads]).toEqual([2, 4]);
});

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
