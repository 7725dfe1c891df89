import { expect, test } from 'vitest';
import { InvalidFields } from '../../../../src/kit/words/field-errors.ts';
import {
  figuresOf,
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
