import { expect, test } from 'vitest';
import { InvalidFields } from '../../../../src/kit/words/field-errors.ts';
import {
  figuresOf,
  SUMMARY_DAYS_MAX,
  summaryParameters,
  withDays,
} from '../../../../src/rooms/summaries/parameters.ts';

const parameters = (query: object) => summaryParameters.parse(query);
const refusalOf = (work: () => unknown) => {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof InvalidFields)) throw error;
    return error.errors.map(({ pointer, detail }) => [pointer, detail]);
  }
};

test('withDays gives the last seven days, or those asked for, within its bound', () => {
  const now = Date.UTC(2026, 10, 20, 15);
  const day = (n: number) => new Date(Date.UTC(2026, 10, n)).toISOString().slice(0, 10);
  const daysOf = (query: object) => {
    const { from, to } = withDays(parameters(query), now);
    return [from, to].map((ms) => new Date(ms).toISOString().slice(0, 10));
  };
  expect(daysOf({})).toEqual([day(14), day(20)]);
  expect(daysOf({ from: day(3), to: day(4) })).toEqual([day(3), day(4)]);
  const reversed = [['/from', "must not lie after /to, '2026-11-03', as '2026-11-04' does"]];
  expect(refusalOf(() => daysOf({ from: day(4), to: day(3) }))).toEqual(reversed);
  const most = day(20 - (SUMMARY_DAYS_MAX - 1));
  expect(daysOf({ from: most, to: day(20) })).toEqual([most, day(20)]);
  const more = day(20 - SUMMARY_DAYS_MAX);
  const tooMany = [['/from', 'must be at most 91 days before /to, not 92']];
  expect(refusalOf(() => daysOf({ from: more, to: day(20) }))).toEqual(tooMany);
});

test.each([
  [
    { rule: 'VELOCITY_COUNT_1H', currency: 'USD' },
    [['/currency', "must not be 'USD': reasons are counted by corridor, rule_set, rule"]],
  ],
  [
    { group_by: 'label,verdict', model: 'none' },
    [
      ['/group_by', 'must not have verdict: labels are counted by corridor, currency, label'],
      ['/model', "must not be 'none': labels are counted by corridor, currency, label"],
    ],
  ],
])('what is not counted together is named: %j', (query, named) => {
  expect(refusalOf(() => figuresOf(withDays(parameters(query), 0)))).toEqual(named);
});
