/** The scorer under a fault test: unchanged, except for transactions of a poisoned account. */
import type { Environment } from '../../kit/config/config.ts';
import { createPoison, POISON_VARIABLE } from '../../kit/process/failpoint.ts';
import type { Scorer } from './scorer.ts';

/** The scorer itself unless RISK_TEST_POISON is set. */
export function poisonScorer(scorer: Scorer, environment: Environment): Scorer {
  const poison = createPoison(environment[POISON_VARIABLE]);
  if (poison === undefined) return scorer;
  return {
    ...scorer,
    decide(vector, opinion, transaction) {
      poison(transaction.accountId);
      return scorer.decide(vector, opinion, transaction);
    },
  };
}
