/** Goal: the name of a derived rule set says all of it, so that a score is made again by the name that is stored with it. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Derivation,
  deriveRuleSet,
} from '../../../../../src/core/score/rules/derived-rule-set.ts';
import { currentRuleSet, findRuleSet } from '../../../../../src/core/score/rules/rule-sets.ts';
import { NO_ROLLOUTS, rulesInForce } from '../../../../../src/core/score/rules-in-force.ts';
import { aControl, controlsOf } from '../../../../support/controls.ts';

const UNCHANGED: Derivation = {
  without: [],
  tightenedBy: 0,
  manualFrom: null,
};
const derive = (change: Partial<Derivation>) =>
  deriveRuleSet(currentRuleSet, { ...UNCHANGED, ...change });

test('the name is all that is needed, whatever is changed together', () => {
  const codes = currentRuleSet.rules.map(({ code }) => code);
  fc.assert(
    fc.property(
      fc.subarray(codes),
      fc.nat({ max: 500 }),
      fc.option(
        fc.record({
          amount: fc.oneof(fc.nat(), fc.constantFrom(0.01, 2500.5, 999_999_999_999_999)),
          currency: fc.constantFrom('USD', 'EGP'),
        }),
      ),
      (without, tightenedBy, manualFrom) => {
        const derived = derive({ without, tightenedBy, manualFrom });
        expect(findRuleSet(derived.id)).toEqual(derived);
      },
    ),
  );
});

test.each([
  'default@4-without-NOBODY',
  'default@4-without-STRUCTURING-without-AMOUNT_OVER_LIMIT',
  'default@4-tightened-0',
  'default@4-tightened-1000',
  'default@4-manual-from-01',
  'default@4-',
  'default@0-tightened-10',
])('nothing is called %s', (name) => {
  expect(findRuleSet(name)).toBeUndefined();
});

test('in force is the amount in the currency of the payment, and 0 in a currency without a rate', () => {
  const inForce = (value: object) =>
    rulesInForce(controlsOf(aControl('manual', 'corridor:US-EG', { value })), NO_ROLLOUTS).decides;
  const common = { accountId: 'acc_1', createdAtMs: 0 };
  const of = (corridor: string, currency: string) => ({ corridor, currency, ...common });
  const now = inForce({ currency: 'USD', amounts: { USD: 100, EGP: 4878.04 } });
  expect(['USD', 'EGP', 'XOF', 'EGP'].map((currency) => now(of('US-EG', currency)).id)).toEqual([
    'default@4-manual-from-100-USD',
    'default@4-manual-from-4878.04-EGP',
    'default@4-manual-from-0-XOF',
    'default@4-manual-from-4878.04-EGP',
  ]);
  expect(now(of('US-MX', 'EGP'))).toBe(currentRuleSet);
});
