/** Goal: a batch has one version of the rules from its first row to its last, whatever people decide meanwhile. */
import { expect, test } from 'vitest';
import type { Control } from '../../../../src/core/domain/control.ts';
import type { Kind } from '../../../../src/core/domain/control-kinds.ts';
import { compileRuleSet } from '../../../../src/core/score/rules/compile-rule-set.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import {
  NO_ROLLOUTS,
  type RuleSetsInForce,
  rulesInForce,
  watchRules,
} from '../../../../src/core/score/rules-in-force.ts';
import { aControl, controlsOf } from '../../../support/controls.ts';
import { always } from '../../../support/rooms/rules/officers.ts';

const compiled = compileRuleSet(always('own@1'));
if (!('ruleSet' in compiled)) throw new Error(JSON.stringify(compiled.problems));
const { ruleSet } = compiled;
const row = (accountId: string, corridor = 'US-EG') => ({
  ...{ accountId, corridor, currency: 'USD', createdAtMs: 0 },
});

test('a batch keeps the rule sets that it began with', async () => {
  let inForce: RuleSetsInForce = NO_ROLLOUTS;
  const controls = controlsOf();
  const ruleSets = watchRules(
    () => controls,
    async () => inForce,
  );
  const ofBatch = await ruleSets();
  expect(ofBatch.decides(row('acc_1'))).toBe(currentRuleSet);
  inForce = new Map([['US-EG', { active: ruleSet, canary: null, shadows: [] }]]);
  const ofNext = await ruleSets();
  expect([ofBatch.decides(row('acc_2')), ofBatch.decides(row('acc_2', 'US-MX'))]).toEqual([
    currentRuleSet,
    currentRuleSet,
  ]);
  expect([ofNext.decides(row('acc_2')), ofNext.decides(row('acc_2', 'US-MX'))]).toEqual([
    ruleSet,
    currentRuleSet,
  ]);
});

test('controls change a shadow as they change the rule set that decides, unless shadows are off', async () => {
  const inForce = new Map([
    ['US-EG', { active: currentRuleSet, canary: null, shadows: [ruleSet] }],
  ]);
  const rulesBy = (...all: readonly Control[]) => rulesInForce(controlsOf(...all), inForce);
  const idsBy = (kind: Kind, scope: string) => {
    const value = { currency: 'USD', amounts: { USD: 100 }, from_amount: 100, points: 100 };
    const rules = rulesBy(aControl(kind, scope, { value }));
    const [shadow] = rules.shadows(row('acc_1'));
    return [rules.decides(row('acc_1')).id, shadow?.id].map((id) => id?.replace(/^[^-]+/, ''));
  };
  expect(rulesBy().shadows(row('acc_1'))).toEqual([ruleSet]);
  expect(rulesBy().shadows(row('acc_1', 'US-MX'))).toEqual([]);
  const manual = '-manual-from-100-USD';
  expect(idsBy('manual', 'corridor:US-EG')).toEqual([manual, manual]);
  expect(idsBy('tighten', 'corridor:US-EG')).toEqual(['-tightened-100', '-tightened-100']);
  expect(idsBy('stop', 'rule:ALWAYS')).toEqual(['', '-without-ALWAYS']);
  expect(idsBy('off', 'flag:shadows')).toEqual(['', undefined]);
});
