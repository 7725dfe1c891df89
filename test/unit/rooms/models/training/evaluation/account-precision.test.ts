import { expect, test } from 'vitest';
import { accountPrecision } from '../../../../../../src/rooms/models/training/evaluation/ranking.ts';

/** day, account, score, label */
function scored(rows: readonly (readonly [number, number, number, number])[]) {
  return {
    days: rows.map(([day]) => day),
    accounts: rows.map(([, account]) => account),
    scores: rows.map(([, , score]) => score),
    labels: rows.map(([, , , label]) => label),
  };
}

test('an account counts by its highest score and any fraud of the day', () => {
  const rows = scored([
    [1, 7, 0.9, 0],
    [1, 7, 0.1, 1],
    [1, 8, 0.5, 0],
    [1, 9, 0.4, 1],
  ]);
  expect(accountPrecision(rows, 1)).toBe(1);
  expect(accountPrecision(rows, 2)).toBe(0.5);
  expect(accountPrecision(rows, 3)).toBe(2 / 3);
});

test('an account that was found leaves its place to the next one on later days', () => {
  const rows = scored([
    [2, 7, 0.9, 1],
    [2, 8, 0.5, 1],
    [1, 7, 0.9, 1],
  ]);
  expect(accountPrecision(rows, 1)).toBe(1);
});
