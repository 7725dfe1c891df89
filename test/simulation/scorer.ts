/** The real scoring core, and in front of it what each transaction's nature does to the worker. */
import { Failure } from '../../src/domain/failure.ts';
import { FEATURE_COUNT, FEATURE_SCHEMA } from '../../src/scoring/feature-schema.ts';
import { features } from '../../src/scoring/features.ts';
import { currentRuleSet } from '../../src/scoring/rule-sets.ts';
import { score } from '../../src/scoring/score.ts';
import type { Scorer } from '../../src/worker/scorer.ts';
import { raise } from './journal.ts';
import type { Process } from './process.ts';
import type { World } from './world.ts';

/** Scorings of a flaky transaction that fail, by the last digit of its id: fewer than it has attempts. */
export const FLAKY_FAILURES_MAX = 3;

export function createScorer({ natureOf, journal }: World, process: Process): Scorer {
  return {
    ...{ featureSchema: FEATURE_SCHEMA, ruleSet: currentRuleSet.id, model: null },
    featureCount: FEATURE_COUNT,
    score(transaction, account, merchant, vector) {
      const { transactionId } = transaction;
      const scorings = raise(journal.scorings, transactionId);
      features(transaction, account, merchant, vector);
      const nature = natureOf(transactionId);
      if (nature === 'flaky' && scorings <= failuresOf(transactionId)) throw new Error('not now');
      if (nature === 'poison') throw new Error('never');
      if (nature === 'hopeless') {
        throw new Failure('permanent', 'HOPELESS', 'can never be scored');
      }
      if (nature === 'crasher') {
        if (process.isAlive()) raise(journal.crashes, transactionId);
        process.crash();
        throw new Error('nobody is left to catch this');
      }
      return score({ vector, ruleSet: currentRuleSet, model: null });
    },
  };
}

function failuresOf(transactionId: string): number {
  return 1 + (Number.parseInt(transactionId.slice(-1), 16) % FLAKY_FAILURES_MAX);
}
