import { expect, test } from 'vitest';
import { daysOf, SUMMARY_DAYS_MAX } from '../../../src/query/summary-parameters.ts';

test('daysOf gives the last seven days, or those asked for, within its bound', () => {
  const now = Date.UTC(2026, 10, 20, 15);
  const day = (n: number) => Date.UTC(2026, 10, n);
  expect(daysOf({}, now)).toEqual({ first: day(14), last: day(20) });
  expect(daysOf({ from: day(3), to: day(4) }, now)).toEqual({ first: day(3), last: day(4) });
  expect(daysOf({ from: day(4), to: day(3) }, now)).toHaveProperty('problem');
  const most = day(20) - (SUMMARY_DAYS_MAX - 1) * 86_400_000;
  expect(daysOf({ from: most, to: day(20) }, now)).toEqual({ first: most, last: day(20) });
  expect(daysOf({ from: most - 86_400_000, to: day(20) }, now)).toHaveProperty('problem');
});
