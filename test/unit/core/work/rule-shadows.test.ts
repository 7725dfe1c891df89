/** Goal: flips are counted by the rule set that people rolled out, and a shadow that fails flips nothing. Method: shadows on a few rows. */
import { expect, test } from 'vitest';
import { compileOwn } from '../../../../src/core/score/rules/compile-rule-set.ts';
import { deriveRuleSet } from '../../../../src/core/score/rules/derived-rule-set.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import { score } from '../../../../src/core/score/score.ts';
import type { EntryTransaction } from '../../../../src/core/work/decided.ts';
import { compareShadow, openFlips } from '../../../../src/core/work/rollout-counts.ts';
import type { Query } from '../../../../src/kit/database/pool.ts';
import { declareFailingCode, withFailingRule } from '../../../support/failing-rule.ts';
import { makeVector } from '../score/vector.ts';
import { entryOf, transactionsOf } from './delivered-entries.ts';

declareFailingCode();
const entries = transactionsOf(entryOf('1-0', 3));
const ruleSet = compileOwn(withFailingRule('own@1'));
/** Compares the shadow on a row with so many siblings. */
const compare = (nth: number, siblings: number, shadow = ruleSet) => {
  const from = entries[nth] as EntryTransaction;
  const vector = makeVector({ siblings });
  const decided = score({ vector, ruleSet: currentRuleSet, opinion: null });
  return compareShadow(shadow, { from, vector, opinion: null, answerOf: () => true, nth }, decided);
};

test('flips are those of the rule set that people rolled out, and a shadow that fails flips nothing', async () => {
  const { rules, ...more } = withFailingRule('own@1');
  const calm = compileOwn({ ...more, rules: rules.slice(1) });
  const manual = { amount: 0, currency: 'USD' };
  const changed = deriveRuleSet(calm, { without: [], tightenedBy: 10, manualFrom: manual });
  const written: string[] = [];
  const query = (async (_: unknown, [flips]: readonly string[]) => {
    written.push(flips ?? '');
    return [];
  }) as unknown as Query;
  const { count, duty } = openFlips({ query });
  count([compare(0, 5), compare(1, 6), compare(2, 10, changed)]);
  await duty.run(new AbortController().signal);
  await duty.run(new AbortController().signal);
  expect(written.map((text) => JSON.parse(text))).toEqual([
    [
      {
        ...{ rule_set: 'own@1', corridor: 'US-EG', scores: 3, stricter: 1, milder: 0, failed: 1 },
        ...{ stricter_ids: [entries[2]?.transaction.transactionId], milder_ids: [] },
      },
    ],
  ]);
});
