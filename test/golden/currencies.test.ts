/**
 * Goal: the tables of currencies and countries are those of ISO 4217 and ISO 3166, whatever the world has changed since they were
 * written. Method: the published lists of currencies, which iso-4217.py keeps here, and the names that this Node has.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { currencyProblem } from '../../src/core/domain/currency.ts';
import { countryProblem } from '../../src/core/domain/transaction.ts';
import { CURRENCIES } from '../../src/kit/words/currencies.ts';
import { type Iso4217, tableOf } from '../support/iso-4217.ts';

const kept: Iso4217 = JSON.parse(readFileSync(join(import.meta.dirname, 'iso-4217.json'), 'utf8'));

test('each currency has the decimal places and the last month of the published lists', () => {
  const { minorUnits, lastMonths } = tableOf(kept);
  const tableBy = (isWithdrawn: boolean, of: 'scale' | 'lastMonth') => {
    const rows = [...CURRENCIES].filter(([, { lastMonth }]) => (lastMonth !== undefined) === isWithdrawn);
    return Object.fromEntries(rows.map(([code, currency]) => [code, currency[of]]));
  };
  expect(tableBy(false, 'scale')).toEqual(minorUnits);
  expect(tableBy(true, 'lastMonth')).toEqual(lastMonths);
});

test('each currency that this Node names is known, but for those withdrawn before any payment', () => {
  const old = Object.entries(kept.withdrawn).flatMap(([code, month]) =>
    month < '2000' ? code : [],
  );
  const other = Intl.supportedValuesOf('currency').filter(
    (code) => !CURRENCIES.has(code) && !kept.no_money.includes(code) && !old.includes(code),
  );
  expect(other).toEqual([]);
});

test.each([
  ['HRK', '2022-12-31', '2023-02-01'],
  ['BGN', '2025-12-31', '2026-02-01'],
  ['SLL', '2023-12-31', '2024-01-01'],
  ['ZWL', '2024-08-01', '2024-10-01'],
  ['ANG', '2025-03-30', '2025-04-01'],
])('%s is paid on %s, and no longer on %s', (code, day, later) => {
  expect(currencyProblem(code, Date.parse(day))).toBeUndefined();
  expect(currencyProblem(code, Date.parse(later))).toMatch(
    new RegExp(`^must be in force at created_at, not ${code}, which ISO 4217 withdrew in 20`),
  );
});

test.each([
  ['AN', '2010-12-31', '2011-01-01'],
  ['CS', '2006-09-01', '2006-10-01'],
  ['TP', '2002-05-20', '2002-06-01'],
  ['YU', '2003-07-01', '2003-08-01'],
])('a payer was in %s on %s, and no longer on %s', (code, day, later) => {
  const at = (time: string) => countryProblem(code, 'US-EG', `${time}T12:00:00Z`);
  expect([at(day), at(later), countryProblem(code, 'US-EG')]).toEqual([
    undefined,
    expect.stringContaining('must be an ISO 3166'),
    expect.stringContaining('must be an ISO 3166'),
  ]);
});

/** Regions that CLDR names, and ISO 3166 does not assign: exceptional reservations, groups, pseudo-locales. */
const NO_COUNTRIES = 'AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ'.split(' ');

test('each country that this Node names is known, and no other', () => {
  const letters = Array.from({ length: 26 }, (_, at) => String.fromCodePoint(65 + at));
  const all = letters.flatMap((first) => letters.map((second) => first + second));
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  const isCurrent = (code: string) => new Intl.Locale(`und-${code}`).region === code;
  const named = all.filter((code) => names.of(code) !== undefined && isCurrent(code));
  expect(all.filter((code) => countryProblem(code, '') === undefined)).toEqual(
    named.filter((code) => !NO_COUNTRIES.includes(code)),
  );
});
