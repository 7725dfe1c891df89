/** A rule named by code that throws where there are more than 5 siblings, beside a rule that fires from 10 on. */
import { afterAll } from 'vitest';
import { featureOf } from '../../src/core/domain/feature-schema.ts';
import { CODE_MEASURES, type CodeMeasure } from '../../src/core/score/rules/measures.ts';

const siblings = featureOf('siblings');

/** Rule sets of the test file may name the code, as if the build had it. */
export function declareFailingCode(): void {
  const codes = CODE_MEASURES as Map<string, CodeMeasure>;
  const failing: CodeMeasure = {
    features: ['siblings'],
    bounds: {},
    measureBy: () => (vector) => {
      if (siblings(vector) > 5) throw new Error('too many siblings');
      return Number.NaN;
    },
  };
  codes.set('failing', failing);
  afterAll(() => codes.delete('failing'));
}

export const withFailingRule = (id: string) => ({
  version: 2 as const,
  id,
  feature_schema: 3 as const,
  rules: [
    {
      ...{ id: 'failing', sentence: 'A sentence.', code: 'FAILING' },
      ...{ measure: { code: 'failing', bounds: {} }, bands: [{ from: 0, weight: 0.5 }] },
    },
    { id: 'many', sentence: 'Many.', code: 'MANY', when: 'siblings >= 10', weight: 0.9 },
  ],
  verdicts: { all: { review: 500, decline: 800 } },
});
