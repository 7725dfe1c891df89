/** Goal: the decimal points of a column align, and money has the decimals of its currency. Method: values of several sizes. */
import { expect, test } from 'vitest';
import { sumMoney } from '../../../console/src/format.ts';

test('a sum of money is exact, by currency', () => {
  const of = (amount: string, currency: string) => ({ amount, currency });
  const many = [of('0.1', 'USD'), of('0.20', 'USD'), of('999999999999.99', 'USD'), of('5', 'JPY')];
  expect(sumMoney(many)).toBe('1,000,000,000,000.29 USD, 5 JPY');
  expect(sumMoney([])).toBe('');
});
