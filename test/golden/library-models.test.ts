/**
 * Goal: models as XGBoost and LightGBM write them give here the probabilities that the library gives, or are refused by the name of
 * the member. Method: small models of two versions each, made by test/foreign/models.py with the library itself.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareModels, type MadeModels } from '../foreign/compare-models.ts';

const FOLDER = new URL('./models/', import.meta.url);
const FILES = readdirSync(FOLDER);

test('there are two versions of each library, and the first of XGBoost that is read', () => {
  const libraries = FILES.map((name) => name.split('-')[0]);
  for (const library of ['lightgbm', 'xgboost'])
    expect(libraries.filter((name) => name === library).length).toBeGreaterThan(1);
  expect(FILES).toContain('xgboost-1.7.6.json');
});

describe.each(FILES)('%s', (name) => {
  const made: MadeModels = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));

  test.each(made.cases)('$name', (given) => {
    compareModels(made, given);
  });
});
