/**
 * Goal: a rule that throws never approves by accident, and all that decides by rules says the same of it. Method: a rule set whose
 * code throws on some rows, beside the same rule set without that rule.
 */
import { expect, test, vi } from 'vitest';
import { FEATURE_SCHEMA } from '../../../../src/core/domain/feature-schema.ts';
import { explain } from '../../../../src/core/score/explain.ts';
import {
  type CompiledRuleSet,
  compileOwn,
} from '../../../../src/core/score/rules/compile-rule-set.ts';
import { deriveRuleSet } from '../../../../src/core/score/rules/derived-rule-set.ts';
import { failedRules } from '../../../../src/core/score/rules-in-force.ts';
import { score } from '../../../../src/core/score/score.ts';
import { verifyScore } from '../../../../src/core/score/verify-score.ts';
import { noteFailures } from '../../../../src/core/work/rollout-counts.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { atOnce } from '../../../../src/kit/process/pauses.ts';
import { createTally } from '../../../../src/rooms/backtest/count/bands.ts';
import { createFold } from '../../../../src/rooms/backtest/count/fold-rows.ts';
import { type Days, noCounts } from '../../../../src/rooms/backtest/count/report-schema.ts';
import { declareFailingCode, withFailingRule } from '../../../support/failing-rule.ts';
import { makeVector } from './vector.ts';

declareFailingCode();
const ruleSet = compileOwn(withFailingRule('own@1'));
const off = { without: ['FAILING'], tightenedBy: 0, manualFrom: null };
const without = deriveRuleSet(ruleSet, off);
const vectorOf = (siblings: number) => makeVector({ siblings });
const decide = (siblings: number, by: CompiledRuleSet = ruleSet) =>
  score({ vector: vectorOf(siblings), ruleSet: by, opinion: null });
const failed = {
  ...{ code: 'RULE_FAILED', contribution: 0 },
  detail: 'Rules that failed did not count: failing',
};

test('it does not fire, the others score, and what they approve is reviewed', () => {
  expect(decide(5)).toMatchObject({ score: 0, verdict: 'approve', reasons: [] });
  expect(decide(6)).toEqual({ ...decide(6, without), verdict: 'review', reasons: [failed] });
  const many = decide(10, without);
  expect(decide(10)).toEqual({ ...many, reasons: [...many.reasons, failed] });
  expect(many).toMatchObject({ score: 900, verdict: 'decline' });
  // The next row knows nothing of it, and a rule that people have stopped fails no more.
  expect(decide(5).reasons).toEqual([]);
  expect(decide(6, without)).toMatchObject({ verdict: 'approve', reasons: [] });
});

test.each(['block', 'allow', 'decline', 'review', 'approve'] as const)(
  'beside a forced %s an approval becomes a review',
  (verdict) => {
    const source = withFailingRule('own@1');
    const forcing = { id: 'all', sentence: 'All.', code: 'ALL', when: 'true', verdict };
    const forced = compileOwn({ ...source, rules: [...source.rules, forcing] });
    const [calm, failing] = [5, 6].map((siblings) => decide(siblings, forced).verdict);
    expect(failing).toBe(calm === 'approve' ? 'review' : calm);
  },
);

test('verification, explanation and backtest agree', () => {
  for (const siblings of [5, 6, 10, 12]) {
    const decision = decide(siblings);
    const features = vectorOf(siblings);
    const row = { features, featureSchema: FEATURE_SCHEMA, corridor: 'US-EG', ruleInputs: null };
    const none = { model: null, margin: null, scorecard: null };
    const stored = { ...decision, ...row, ruleSet: ruleSet.id, ...none };
    expect(verifyScore(stored, ruleSet, null, null)).toEqual([]);
    const explained = explain({ ...row, probability: null }, ruleSet);
    expect(explained.rules.map(({ fired }) => fired)).toEqual([false, siblings >= 10]);
    const sampled = { ...row, vector: features, opinion: null, isFraud: null };
    const counts = noCounts();
    const money = { currency: 'USD', amount: '1.00', label: null };
    const days: Days = new Map();
    createFold(
      counts,
      [() => ruleSet, () => without],
      days,
    )({ ...sampled, ...money, id: 'row', createdAtMs: 0 }, [null, null]);
    const [approve, review, decline] = counts.versions[0].verdicts.map(([rows]) => rows);
    expect({ approve, review, decline }).toMatchObject({ [decision.verdict]: 1 });
    const tally = createTally(
      () => ruleSet.verdicts,
      () => ruleSet.verdicts,
    );
    for (const [day, counted] of days) atOnce(tally.addDay(String(day), counted));
    expect(tally.toJson().before.confusion).toContainEqual(
      expect.objectContaining({ verdict: decision.verdict, unlabelled: 1 }),
    );
  }
});

test('it is counted at each decision, and told once with what it threw', async () => {
  const metrics = createMetrics();
  const error = vi.fn();
  const derived = deriveRuleSet(ruleSet, { ...off, without: ['MANY'], tightenedBy: 10 });
  for (const by of [ruleSet, derived, without]) {
    const note = (siblings: number) => {
      decide(siblings, by);
      return noteFailures(by, { metrics, log: { error } });
    };
    expect([note(5), note(6)]).toEqual([false, by !== without]);
    expect(failedRules(by)).toHaveLength(by === without ? 0 : 1);
  }
  const { values } = await metrics.ruleFailures.get();
  const counted = { value: 2, labels: { rule_set: 'own@1', rule: 'failing' } };
  expect(values).toContainEqual(counted);
  expect(error.mock.calls).toEqual([
    [{ ruleSet: 'own@1', rule: 'failing', err: 'too many siblings' }, 'a rule fails'],
  ]);
});
