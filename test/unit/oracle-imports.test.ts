/**
 * Goal: the oracle of features shares no line with what it judges. Method: the values that its files import from the engine
 * are words of the domain and the logarithm, and each of these has a test of its own.
 */
import { expect, test } from 'vitest';
import { importsOf } from '../support/imports.ts';
import { readSources } from '../support/source-files.ts';

const SHARED = [
  'core/domain/currency',
  'core/domain/reporting-limit',
  'kit/elementary-functions',
].map((name) => `src/${name}.ts`);

test('the oracle imports no arithmetic of features', () => {
  const values = readSources('test/support/oracle', /\.ts$/).flatMap(({ path, text }) =>
    importsOf(path, text).filter(({ typeOnly }) => !typeOnly),
  );
  const ofEngine = new Set(
    values.map(({ target }) => target).filter((target) => target.startsWith('src/')),
  );
  expect([...ofEngine].sort()).toEqual(SHARED.sort());
});
