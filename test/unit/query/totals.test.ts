import { expect, test } from 'vitest';
import { daysOf, SUMMARY_DAYS_MAX } from '../../../src/query/daily-summaries.ts';
import { createTotals } from '../../../src/query/pipeline-status.ts';
import type { Database } from '../../../src/store/pool.ts';

/** Never asked: what counts is passed in. */
const nobody = {} as Database;

test('createTotals counts once for all who ask meanwhile, and keeps what it counted', async () => {
  const counted: string[] = [];
  const gate = Promise.withResolvers<void>();
  const totals = createTotals({
    databases: { primary: nobody, replica: null, now: () => 7 },
    countRows: async (_, table) => {
      counted.push(table);
      await gate.promise;
      return table === 'scores' ? 3 : 5;
    },
  });
  const asked = [totals(), totals(), totals()];
  gate.resolve();
  const expected = { accepted: 5, scored: 3, countedAtMs: 7 };
  expect(await Promise.all(asked)).toEqual([expected, expected, expected]);
  expect(await totals()).toEqual(expected);
  expect(counted).toEqual(['scores', 'transactions']);
});

test('createTotals counts again after a count that failed', async () => {
  let isUp = false;
  const totals = createTotals({
    databases: { primary: nobody, replica: null, now: () => 7 },
    countRows: async () => {
      if (!isUp) throw new Error('away');
      return 1;
    },
  });
  await expect(totals()).rejects.toThrow('away');
  isUp = true;
  expect(await totals()).toMatchObject({ accepted: 1, scored: 1 });
});

test('daysOf gives the last seven days, or those asked for, within its bound', () => {
  const now = Date.UTC(2026, 10, 20, 15);
  const day = (n: number) => Date.UTC(2026, 10, n);
  expect(daysOf({}, now)).toEqual({ days: [14, 15, 16, 17, 18, 19, 20].map(day) });
  expect(daysOf({ from: day(3), to: day(4) }, now)).toEqual({ days: [day(3), day(4)] });
  expect(daysOf({ from: day(4), to: day(3) }, now)).toHaveProperty('problem');
  const most = day(20) - (SUMMARY_DAYS_MAX - 1) * 86_400_000;
  expect(daysOf({ from: most, to: day(20) }, now)).toHaveProperty('days.length', SUMMARY_DAYS_MAX);
  expect(daysOf({ from: most - 86_400_000, to: day(20) }, now)).toHaveProperty('problem');
});
