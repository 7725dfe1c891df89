/**
 * Goal: scoring under the build's rule set is unchanged to the last bit. Method: fixed vectors with their exact
 * decisions. A failure here is never mended by rewriting the file: numbers that ever decided stay, and other
 * numbers are another rule set (and a line in the CHANGELOG).
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  FEATURE_COUNT,
  type FeatureName,
  featureIndex,
} from '../../src/core/domain/feature-schema.ts';
import { currentRuleSet } from '../../src/core/score/rules/rule-sets.ts';
import { score } from '../../src/core/score/score.ts';

type GoldenCase = {
  name: string;
  /** Null is missing; JSON has no infinity. */
  features: Record<string, number | 'Infinity' | null>;
  score: number;
  /** The risk as the 16 hexadecimal digits of its float64, big-endian. */
  risk_bits: string;
  verdict: string;
  reasons: { code: string; detail: string; contribution: number }[];
};
type Golden = { rule_set: string; feature_schema: number; cases: GoldenCase[] };

const golden: Golden = JSON.parse(
  readFileSync(new URL('./scores-default-3.json', import.meta.url), 'utf8'),
);

function bitsOf(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}

test('the file is of the rule set of the build and its feature schema', () => {
  expect(golden).toMatchObject({ rule_set: currentRuleSet.id, feature_schema: currentRuleSet.featureSchema });
});

test.each(golden.cases)('$name', ({ features, score: points, risk_bits, verdict, reasons }) => {
  const vector = new Float64Array(FEATURE_COUNT).fill(Number.NaN);
  for (const [name, value] of Object.entries(features)) {
    vector[featureIndex(name as FeatureName)] = Number(value ?? Number.NaN);
  }
  const decision = score({ vector, ruleSet: currentRuleSet, opinion: null });
  expect(bitsOf(decision.risk)).toBe(risk_bits);
  expect(decision).toMatchObject({ score: points, verdict, reasons });
});
