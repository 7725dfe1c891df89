/** Goal: a rule set with shares stops at most these shares by the bands of a table, and its name says the bands. Method: made tables. */
import { expect, test } from 'vitest';
import { compileOwn } from '../../../../../src/core/score/rules/compile-rule-set.ts';
import * as derived from '../../../../../src/core/score/rules/derived-rule-set.ts';
import { currentRuleSet, findRuleSet } from '../../../../../src/core/score/rules/rule-sets.ts';
import { rulesInForce, withBands } from '../../../../../src/core/score/rules-in-force.ts';
import { NEVER, topsOf } from '../../../../../src/core/score/scorecard/shares.ts';
import { verdictOf } from '../../../../../src/core/score/weigh.ts';
import { DAY_MS } from '../../../../../src/kit/words/range.ts';
import { controlsOf } from '../../../../support/controls.ts';
import { dayTable } from '../../../../support/day-tables.ts';
import { always } from '../../../../support/rooms/rules/officers.ts';

const all = { review: 500, decline: 800 };
const verdicts = { all, corridors: { 'US-EG': all }, shares: { review: 0.01, decline: 0.001 } };
const own = compileOwn({ ...always('own@1'), feature_schema: 4, verdicts });
const rising = (count: number) => Array.from({ length: count }, (_, nth) => nth);
/** A table of a night that found these points of a rule set, and a payment that the table judges so many days later. */
function tableOf(points: readonly number[], name = 'own@1', days = 0) {
  const tops = topsOf(points);
  const rules = new Map(tops.length === 0 ? [] : [[name, tops]]);
  const table = dayTable({ tops: { scorecard: new Float64Array(), rules, models: new Map() } });
  return { table: { serial: 1, sha256: '', table }, createdAtMs: (table.day + days) * DAY_MS };
}

test('at most the shares are stopped from 1,000 scores on, in all corridors, and ties stay below', () => {
  const banded = withBands(own, tableOf(rising(1000)));
  expect(banded).toMatchObject({ id: 'own@1-bands-990-999', corridorVerdicts: new Map() });
  const stopped = rising(1000).map((points) => verdictOf(points, banded.verdicts));
  expect(stopped.indexOf('review')).toBe(990);
  expect(stopped.indexOf('decline')).toBe(999);
  const tied = tableOf(rising(1000).map((points) => Math.min(points, 995)));
  expect(withBands(own, tied).verdicts).toEqual({ review: 990, decline: NEVER });
});

test.each([
  ['fewer scores', own, tableOf(rising(999))],
  ['another rule set', own, tableOf(rising(1000), 'own@2')],
  ['no table', own, { table: null, createdAtMs: 0 }],
  ['a table that is eight days old', own, tableOf(rising(1000), 'own@1', 8)],
  ['no shares', currentRuleSet, tableOf(rising(1000), currentRuleSet.id)],
])('fixed bands decide by %s', (_, ruleSet, judged) => {
  expect(withBands(ruleSet, judged)).toBe(ruleSet);
});

test('the bands of a table decide for seven days', () => {
  expect(withBands(own, tableOf(rising(1000), 'own@1', 7)).id).toBe('own@1-bands-990-999');
});

test('a shadow has bands as the rule set that decides', () => {
  const inForce = new Map([['US-EG', { active: own, canary: null, shadows: [own] }]]);
  const rules = rulesInForce(controlsOf(), inForce);
  const idsOf = (days: number) => {
    const { table, createdAtMs } = tableOf(rising(1000), 'own@1', days);
    const row = { corridor: 'US-EG', currency: 'USD', accountId: 'a', createdAtMs };
    return [rules.decides(row, table), ...rules.shadows(row, table)].map(({ id }) => id);
  };
  expect(idsOf(7)).toEqual(['own@1-bands-990-999', 'own@1-bands-990-999']);
  expect(idsOf(8)).toEqual(['own@1', 'own@1']);
});

test('the name is all that is needed, whatever people change beside the bands', () => {
  const change = { without: ['ALWAYS'], tightenedBy: 100, manualFrom: null };
  const made = withBands(derived.deriveRuleSet(own, change), tableOf(rising(1000)));
  expect(made.id).toBe('own@1-without-ALWAYS-tightened-100-bands-990-999');
  expect(made.verdicts).toEqual({ review: 890, decline: 899 });
  expect(derived.parseDerived(own, made.id)).toEqual(made);
  expect(findRuleSet('default@4-bands-990-999')).toBeUndefined();
});
