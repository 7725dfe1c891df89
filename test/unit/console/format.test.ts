/** Goal: the decimal points of a column align, and money has the decimals of its currency. Method: values of several sizes. */
import { expect, test } from 'vitest';
import { person, recordedName, sumMoney, tenths } from '../../../console/src/format.ts';

test('tenths have one digit behind the point, whatever the value', () => {
  expect([4.133, 24, 0.6406, 1000].map(tenths)).toEqual(['4.1', '24.0', '0.6', '1,000.0']);
});

test('a sum of money is exact, by currency', () => {
  const of = (amount: string, currency: string) => ({ amount, currency });
  const many = [of('0.1', 'USD'), of('0.20', 'USD'), of('999999999999.99', 'USD'), of('5', 'JPY')];
  expect(sumMoney(many)).toBe('1,000,000,000,000.29 USD, 5 JPY');
  expect(sumMoney([])).toBe('');
});

test('the set-up key has a name in words, which finds the key', () => {
  const recorded = 'key of RISK_BOOTSTRAP_KEY';
  expect([recorded, 'RISK_BOOTSTRAP_KEY', 'Ann'].map(person)).toEqual([
    'the set-up key',
    'the set-up key',
    'Ann',
  ]);
  expect(recordedName(person(recorded))).toBe(recorded);
});
