/** Goal: RISK_TEST_POISON spoils the accounts it names, and nothing at all when it is not set. */
import { expect, test } from 'vitest';
import type { AccountHistory, MerchantHistory } from '../../../src/domain/history.ts';
import type { Decision } from '../../../src/domain/score-record.ts';
import type { Transaction } from '../../../src/domain/transaction.ts';
import { poisonScorer } from '../../../src/worker/poisoned-scorer.ts';
import type { Scorer } from '../../../src/worker/scorer.ts';

const decision = { score: 7 } as Decision;
const scorer: Scorer = {
  ...{ featureSchema: 1, ruleSet: 'test@1', model: null, featureCount: 0 },
  score: () => decision,
};

function scoreOf(tested: Scorer, accountId: string): Decision {
  const transaction = { accountId } as Transaction;
  const [account, merchant] = [{} as AccountHistory, {} as MerchantHistory];
  return tested.score(transaction, account, merchant, new Float64Array());
}

test.each([{}, { RISK_TEST_POISON: '' }])('without poison the scorer is itself', (environment) => {
  expect(poisonScorer(scorer, environment)).toBe(scorer);
});

test('scoring throws for accounts with the prefix only', () => {
  const poisoned = poisonScorer(scorer, { RISK_TEST_POISON: 'throw:acc_bad' });
  expect(() => scoreOf(poisoned, 'acc_bad_17')).toThrow('poisoned');
  expect(scoreOf(poisoned, 'acc_good')).toBe(decision);
});
