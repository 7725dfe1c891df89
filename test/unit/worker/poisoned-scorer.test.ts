/** Goal: RISK_TEST_POISON spoils the accounts it names, and nothing at all when it is not set. */
import { expect, test } from 'vitest';
import type { AccountHistory, MerchantHistory } from '../../../src/domain/history.ts';
import type { Decision } from '../../../src/domain/score-record.ts';
import type { Transaction } from '../../../src/domain/transaction.ts';
import { poisonScorer } from '../../../src/worker/poisoned-scorer.ts';
import type { Scorer } from '../../../src/worker/scorer.ts';

const scorer: Scorer = {
  ...{ featureSchema: 1, ruleSet: 'test@1', featureCount: 1 },
  fill: (_, __, ___, vector) => vector.fill(7),
  decide: () => ({}) as Decision,
};

function fillOf(tested: Scorer, accountId: string): Float64Array {
  const transaction = { accountId } as Transaction;
  const [account, merchant] = [{} as AccountHistory, {} as MerchantHistory];
  const vector = new Float64Array(1);
  tested.fill(transaction, account, merchant, vector);
  return vector;
}

test.each([{}, { RISK_TEST_POISON: '' }])('without poison the scorer is itself', (environment) => {
  expect(poisonScorer(scorer, environment)).toBe(scorer);
});

test('scoring throws for accounts with the prefix only', () => {
  const poisoned = poisonScorer(scorer, { RISK_TEST_POISON: 'throw:acc_bad' });
  expect(() => fillOf(poisoned, 'acc_bad_17')).toThrow('poisoned');
  expect(fillOf(poisoned, 'acc_good')).toEqual(Float64Array.of(7));
});
