import { expect, test } from 'vitest';
import { DESCRIBED, issueText } from '../../../../src/kit/words/describe-issue.ts';
import {
  daysOf,
  questionOf,
  SUMMARY_DAYS_MAX,
  summaryParameters,
} from '../../../../src/rooms/summaries/summary-parameters.ts';

test('daysOf gives the last seven days, or those asked for, within its bound', () => {
  const now = Date.UTC(2026, 10, 20, 15);
  const day = (n: number) => Date.UTC(2026, 10, n);
  expect(daysOf({}, now)).toEqual({ first: day(14), last: day(20) });
  expect(daysOf({ from: day(3), to: day(4) }, now)).toEqual({ first: day(3), last: day(4) });
  expect(daysOf({ from: day(4), to: day(3) }, now)).toHaveProperty('problem');
  const most = day(20) - (SUMMARY_DAYS_MAX - 1) * 86_400_000;
  expect(daysOf({ from: most, to: day(20) }, now)).toEqual({ first: most, last: day(20) });
  expect(daysOf({ from: most - 86_400_000, to: day(20) }, now)).toEqual({
    problem: 'must be at most 91 days before /to, not 92',
  });
});

const problems = (query: object) =>
  summaryParameters.safeParse(query, DESCRIBED).error?.issues.map(issueText);

test.each([
  [{ from: '9999-12-31' }, "must be a UTC day from 0001-01-01 to 9999-12-30, not '9999-12-31'"],
  [{ to: '0000-12-31' }, "must be a UTC day from 0001-01-01 to 9999-12-30, not '0000-12-31'"],
  [{ to: '2026-02-30' }, "must be a UTC day, as 2026-11-20, not '2026-02-30'"],
])('%j: %s', (query, text) => {
  expect(problems(query)).toEqual([text]);
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
  const question = questionOf(summaryParameters.parse(query), { first: 0, last: 0 });
  const found = 'problems' in question ? question.problems : [];
  expect(found.map(({ pointer, detail }) => [pointer, detail])).toEqual(named);
});
