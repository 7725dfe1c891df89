/** Goal: RISK_TEST_POISON spoils the accounts it names, and nothing at all when it is not set. */
import { expect, test } from 'vitest';
import type { Decision } from '../../../../src/core/domain/score-record.ts';
import type { Transaction } from '../../../../src/core/domain/transaction.ts';
import { poisonScorer } from '../../../../src/core/work/fault-test-scorer.ts';
import type { Scorer } from '../../../../src/core/work/scorer.ts';

const approved = { verdict: 'approve' } as Decision;
const scorer: Scorer = {
  ...{ featureSchema: 1, ruleSet: 'test@1' },
  decide: () => approved,
};

function decideOf(tested: Scorer, accountId: string): Decision {
  return tested.decide(new Float64Array(1), null, { accountId } as Transaction);
}

test.each([{}, { RISK_TEST_POISON: '' }])('without poison the scorer is itself', (environment) => {
  expect(poisonScorer(scorer, environment)).toBe(scorer);
});

test('scoring throws for accounts with the prefix only', () => {
  const poisoned = poisonScorer(scorer, { RISK_TEST_POISON: 'throw:acc_bad' });
  expect(() => decideOf(poisoned, 'acc_bad_17')).toThrow('poisoned');
  expect(decideOf(poisoned, 'acc_good')).toBe(approved);
});
