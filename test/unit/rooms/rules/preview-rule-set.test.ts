/** Goal: a preview tells what labels and models make of a rule, and costs nothing once nobody waits. Method: drawn days. */
import { expect, test } from 'vitest';
import { FEATURE_SCHEMA } from '../../../../src/core/domain/feature-schema.ts';
import { compileOwn } from '../../../../src/core/score/rules/compile-rule-set.ts';
import { currentRuleSet } from '../../../../src/core/score/rules/rule-sets.ts';
import type { SampledRow } from '../../../../src/rooms/rules/day-sample.ts';
import { previewRuleSet } from '../../../../src/rooms/rules/preview-rule-set.ts';
import { makeVector } from '../../core/score/vector.ts';

const dayOf = (rows: number, more: (at: number) => Partial<SampledRow> = () => ({})) => ({
  ...{ fromMs: 0, toMs: 86_400_000, scores: rows },
  rows: Array.from({ length: rows }, (_, at) => ({
    ...{ vector: makeVector({ siblings: at }), featureSchema: FEATURE_SCHEMA, corridor: 'US-EG' },
    ...{ ruleInputs: null, opinion: null, isFraud: null, ...more(at) },
  })),
});
const ruleSetOf = (when: string, more = {}) =>
  compileOwn({
    ...{
      version: 2,
      id: 'own@1',
      feature_schema: 3,
      verdicts: { all: { review: 500, decline: 800 } },
    },
    rules: [{ id: 'one', code: 'ONE', sentence: 'A sentence.', when, weight: 0.6, ...more }],
  });
const inForce = () => currentRuleSet;

test('a rule that often fires and meets no fraud is told once enough labels are known', async () => {
  const ruleSet = ruleSetOf('siblings < 120');
  const kindsOf = async (labels: number, frauds: number) => {
    const day = dayOf(1000, (at) => (at < labels ? { isFraud: at < frauds } : {}));
    const { rules } = await previewRuleSet(ruleSet, day, inForce);
    return rules[0]?.findings.map(({ kind }) => kind);
  };
  expect(await kindsOf(99, 0)).toEqual([]);
  expect(await kindsOf(100, 0)).toEqual(['no-fraud']);
  expect(await kindsOf(100, 1)).toEqual([]);
});

test('beside a model only policies add points, and its bands decide', async () => {
  const opinion = { probability: 0.2, bands: null, factors: () => [] };
  const day = dayOf(200, () => ({ opinion }));
  const after = async (more: object) =>
    (await previewRuleSet(ruleSetOf('true', more), day, inForce)).after.all;
  expect(await after({})).toEqual({ approve: 200, review: 0, decline: 0 });
  expect(await after({ policy: true })).toEqual({ approve: 0, review: 200, decline: 0 });
  expect((await previewRuleSet(ruleSetOf('true'), day, inForce)).by_model).toBe(200);
});

test('a preview ends once nobody waits for it, and rows of older vectors are left out', async () => {
  const gone = AbortSignal.abort(new Error('gone'));
  await expect(previewRuleSet(currentRuleSet, dayOf(20_000), inForce, gone)).rejects.toThrow(
    'gone',
  );
  const old = await previewRuleSet(
    currentRuleSet,
    dayOf(10, () => ({ featureSchema: 1 })),
    inForce,
  );
  expect([old.sampled, old.in_force]).toEqual([0, []]);
});
