/** Goal: a rule set is tried on yesterday as its scores were decided, by models too. Method: drawn scores. */
import { expect, test } from 'vitest';
import { compileOwn } from '../../../../src/core/score/rules/compile-rule-set.ts';
import { refusalOf } from '../../../../src/rooms/rules/try-yesterday.ts';
import type { SampledRow } from '../../../../src/rooms/rules/yesterday.ts';
import { makeVector } from '../../core/score/vector.ts';

const yesterdayOf = (more: Partial<SampledRow>) => ({
  day: '2026-11-19',
  rows: Array.from({ length: 200 }, (_, at) => ({
    ...{ vector: makeVector({ siblings: at }), corridor: 'US-EG' },
    ...{ ruleInputs: null, opinion: null, ...more },
  })),
});
const ruleSetOf = (more = {}) =>
  compileOwn({
    ...{ version: 2, id: 'own@1', feature_schema: 3 },
    verdicts: { all: { review: 500, decline: 800 } },
    rules: [
      { id: 'one', code: 'ONE', sentence: 'A sentence.', when: 'true', weight: 0.9, ...more },
    ],
  });

test('beside a model only policies add points', async () => {
  const day = yesterdayOf({ opinion: { probability: 0.2, bands: null, factors: () => [] } });
  expect(await refusalOf(ruleSetOf(), day)).toBe(null);
  expect(await refusalOf(ruleSetOf({ policy: true }), day)).toMatch(
    /^own@1 would decline 100.0 % of 200 scores of 2026-11-19/,
  );
});
