/**
 * Goal: models as XGBoost and LightGBM write them give here the probabilities that the library gives, or are refused by the name of
 * the member. Method: small models of two versions each, made by test/foreign/models.py with the library itself.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { compareModels, type MadeModels } from '../foreign/compare-models.ts';

const FOLDER = new URL('./models/', import.meta.url);
const FILES = readdirSync(FOLDER);

test('there are two versions of each library', () => {
  const libraries = FILES.map((name) => name.split('-')[0]);
  expect(libraries.toSorted()).toEqual(['lightgbm', 'lightgbm', 'xgboost', 'xgboost']);
});

describe.each(FILES)('%s', (name) => {
  const made: MadeModels = JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8'));

  test.each(made.cases)('$name', (given) => {
    compareModels(made, given);
  });
});
