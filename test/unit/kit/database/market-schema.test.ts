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
  for (const name of ['read', '', 'read']) expect(textOf({ name, text })).toBe(ours);
  expect(othersOf({ name: 'read', text })).toContain('"m_2".scores');
});
