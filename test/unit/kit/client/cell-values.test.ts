/** Goal: what a tool wrote of a value is read where it means one thing alone, and what a tool has damaged is told. */
import { expect, test } from 'vitest';
import { idDamage, numberText, zonedTime } from '../../../../src/kit/client/cell-values.ts';

test.each([
  ['a spreadsheet', '4.11111E+15'],
  ['a spreadsheet of another language', '4,11111E+15'],
  ['a spreadsheet, of a power of ten', '1E+16'],
  ['a data frame', '4.111111111111111e+15'],
  ['a column of doubles', '4.111111111111111e15'],
  ['a small number', '1.2e-07'],
  ['another office program', '7.9155723368987E+017'],
  ['a data frame with one such cell', '1352171357E+5'],
  ['whole numbers beside missing ones', '4111111111111111.0'],
  ['a number with two decimals', '4111111111111110.00'],
  ['a number with two decimals of another language', '4111111111111110,00'],
  ['a number with its thousands apart', '4,111,111,111,111,110.00'],
  ['a date', '2-Jan'],
  ['a month', 'Sep-02'],
  ['a column that is too narrow', '########'],
  ['a formula that failed', '#N/A'],
  ['a name that is no formula', '#NAME?'],
  ['a formula', '="4111111111111111"'],
  ['a text that an export kept from being a formula', "'-17"],
  ['a missing value', 'nan'],
  ['a missing value of an object', 'None'],
  ['a missing value of a database', '\\N'],
  ['a missing value of another database', 'NULL'],
  ['a missing time', 'NaT'],
  ['a lost character', 'M\ufffdller'],
  ['a blank around it', ' 4.11111E+15 '],
])('an id that is %s is told: %s', (_name, id) => {
  expect(idDamage(id)).toMatch(/^must be the id as your system has it, and '.*--ids-as-they-are$/);
});

test.each([
  ...['acc_17', '4111111111111111', '00123', '12E4', '1e10', 'e15', '3e123456', 'v1.0', '1.0.0'],
  ...['1,234', '123.456.789', '123 456 789', "'quoted'", 'x.00', '1.00.1'],
  ...['2-january', 'may', 'dec', 'nancy', 'none-such', '#17', 'Müller', '1,5', '52e14'],
  ...['1e0f-4a', '019a9f5b-3c00-7abc-8def-0123456789ab', 17, undefined, null],
])('an id that no tool has damaged is taken: %s', (id) => {
  expect(idDamage(id)).toBeUndefined();
});

test.each([
  ['pandas', '2026-11-29 10:00:00+00:00', '2026-11-29T10:00:00+00:00'],
  [
    'pandas with nanoseconds',
    '2026-11-29 10:00:00.123456789+09:00',
    '2026-11-29T10:00:00.123456789+09:00',
  ],
  ['DuckDB and Postgres', '2026-11-29 10:00:00.5+00', '2026-11-29T10:00:00.5+00:00'],
  ['Postgres in Nepal', '2026-11-29 10:00:00+05:45', '2026-11-29T10:00:00+05:45'],
  ['polars', '2026-11-29T10:00:00.000000+0000', '2026-11-29T10:00:00.000000+00:00'],
  ['BigQuery', '2026-11-29 10:00:00 UTC', '2026-11-29T10:00:00Z'],
  ['Snowflake', '2026-11-29 10:00:00.000 +0000', '2026-11-29T10:00:00.000+00:00'],
  ['a form of ours', '2026-11-29T10:00:00.000Z', '2026-11-29T10:00:00.000Z'],
])('a time with a zone as %s writes it is a time of the API', (_name, written, read) => {
  expect(zonedTime(written)).toBe(read);
});

test.each([
  ...[
    '2026-11-29 10:00:00',
    '2026-11-29',
    '29.11.2026 10:00',
    '11/29/2026',
    '46000.5',
    'yesterday',
  ],
  ...['2026-11-29 10:00', '1790000000', '2026-11-29 10:00:00 CET', undefined, 17],
])('a value that means several times stays for the API to refuse: %s', (value) => {
  expect(zonedTime(value)).toBe(value);
});

test('a number of an object keeps all its digits, and those of inner objects are not its own', () => {
  const json =
    '{"in":{"id":1,"amount":2},"id":17.0,"amount":1000.00,"rate":1e-7,"a":[3],"last":{"id":5}}';
  const members = ['id', 'amount', 'rate', 'a', 'none'];
  expect(members.map((member) => numberText(json, member))).toEqual([
    '17.0',
    '1000.00',
    '1e-7',
    undefined,
    undefined,
  ]);
});
