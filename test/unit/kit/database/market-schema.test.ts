/**
 * Goal: every statement names the tables and functions of its market by their schema. Tests on real Postgres prove it for the
 * statements they run, as their role finds no table without a schema; this test proves it for all of the source.
 */
import { expect, test } from 'vitest';
import { createTextOf, inMarket } from '../../../../src/kit/database/market-schema.ts';
import { RETENTIONS } from '../../../../src/main/rooms.ts';
import { readSources } from '../../../support/source-files.ts';

const TABLES = RETENTIONS.flatMap(({ tables }) => tables).filter((name) => !name.includes('.'));
const CLAUSES = 'from|join|into|update|table|only|truncate|analyze';
const UNQUALIFIED = new RegExp(`(?<![\\w.-])(${CLAUSES})\\s+(${TABLES.join('|')})\\b(?![.(-])`);
const COMMENT = /^\s*(\*|\/\/|\/\*)/;
/** The one file that sets a search_path, for its own transactions. */
const MIGRATE = 'src/kit/database/migrations/migrate.ts';

test('no statement names a table without its schema', () => {
  const found = readSources('src', /\.ts$/)
    .filter(({ path }) => path !== MIGRATE)
    .flatMap(({ path, text }) =>
      text
        .split('\n')
        .filter((line) => !COMMENT.test(line) && UNQUALIFIED.test(line))
        .map((line) => `${path}: ${line.trim()}`),
    );
  expect(found).toEqual([]);
  expect('select 1 from scores s').toMatch(UNQUALIFIED);
});

test('a text has the schema of its market wherever it names a table', () => {
  const text = `select 'market.scores'::regclass from market.scores join shared.corridors on supermarket.id`;
  const ours = `select '"m_1".scores'::regclass from "m_1".scores join shared.corridors on supermarket.id`;
  expect(inMarket(text, 'm_1')).toBe(ours);
  const [textOf, othersOf] = [createTextOf('m_1'), createTextOf('m_2')];
  for (const name of ['read', '', 'read']) expect(textOf({ name, text })).toEqual({ text: ours });
  expect(othersOf({ name: 'read', text }).text).toContain('"m_2".scores');
});

test('a statement keeps its name, and so its plan, unless it reads months that its text does not bound', () => {
  const textOf = createTextOf('m_1');
  const nameOf = (text: string, more = {}) => textOf({ name: 'it', text, ...more }).name;
  expect(nameOf('select from market.open_rows')).toBe('it');
  expect(nameOf("insert into market.scores select to_regclass('market.labels')")).toBe('it');
  expect(nameOf('select from market.open_rows join market.labels l on true')).toBeUndefined();
  expect(nameOf('select from a, market.transactions')).toBeUndefined();
  expect(nameOf('select from market.labels', { hasMonths: true })).toBe('it');
});

/** Tables of months that are read whole, or whose bounds stand after a further table. */
const READ_WHOLE = [
  'src/core/store/label-in-force.ts: labels',
  'src/core/store/scorecards/read-payments.ts: transactions',
  ...Array<string>(2).fill('src/core/store/scorecards/read-payments.ts: scores'),
  'src/core/store/scorecards/read-payments.ts: transactions',
  'src/rooms/archive/market-figures.ts: transactions',
  ...Array<string>(2).fill('src/rooms/archive/market-figures.ts: scores'),
  'src/rooms/archive/restore-market.ts: transactions',
  'src/rooms/corridors/markets-command.ts: transactions',
  'src/rooms/exports/read-rows.ts: transactions',
  'src/rooms/labels/store.ts: labels',
  'src/rooms/labels/store.ts: transactions',
  'src/rooms/models/store/training-rows.ts: scores',
  'src/rooms/privacy/anonymise/anonymise.ts: scores',
  ...Array<string>(4).fill('src/rooms/privacy/own-subjects.ts: transactions'),
  'src/rooms/privacy/store.ts: transactions',
  'src/tools/client/read-ledger.ts: scores',
];

test('each table of months that a statement reads has bounds on its own created_at', () => {
  const READ = /(?<!into |only |table |')market\.(transactions|scores|labels)\b/g;
  const BOUND =
    /\$\{(?:within\w*|sameAs|range|ofKey)\(|\$\{(?:RANGE|AMONG|IN_MONTH|IN_PARTITION|OF_MONTH|conditions)\b|created_at (?:>=|>|between|=) (?:\$\d|'?\$\{)/;
  const unbounded = readSources('src', /\.ts$/).flatMap(({ path, text }) => {
    const code = text.replaceAll(/^\s*(?:\/\/|\/?\*).*$/gm, '');
    const reads = [...code.matchAll(READ)];
    return reads.flatMap(({ 0: read, 1: table, index }, nth) => {
      const rest = code.slice(index + read.length, reads[nth + 1]?.index).slice(0, 500);
      return BOUND.test(rest) ? [] : `${path}: ${table}`;
    });
  });
  expect(unbounded).toEqual(READ_WHOLE);
});
