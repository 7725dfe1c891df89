/**
 * Goal: scoring under the build's rule sets is unchanged to the last bit. Method: fixed vectors with their exact
 * decisions. A failure here is never mended by rewriting the file: numbers that ever decided stay, and other
 * numbers are another rule set (and a line in the CHANGELOG). Cases of default@4 are those of its own rules.
 */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  FEATURE_COUNT,
  type FeatureName,
  featureIndex,
} from '../../src/core/domain/feature-schema.ts';
import { findRuleSet } from '../../src/core/score/rules/rule-sets.ts';
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

const cases = ['3', '4'].flatMap((version) => {
  const file = new URL(`./scores-default-${version}.json`, import.meta.url);
  const golden: Golden = JSON.parse(readFileSync(file, 'utf8'));
  return golden.cases.map((each) => ({ ...golden, ...each }));
});

function bitsOf(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}

test.each(cases)('$rule_set: $name', (golden) => {
  const { rule_set, feature_schema, features, score: points, risk_bits, verdict, reasons } = golden;
  const ruleSet = findRuleSet(rule_set);
  if (ruleSet === undefined) throw new Error(`there is no ${rule_set}`);
  expect(ruleSet.featureSchema).toBe(feature_schema);
  const vector = new Float64Array(FEATURE_COUNT).fill(Number.NaN);
  for (const [name, value] of Object.entries(features)) {
    vector[featureIndex(name as FeatureName)] = Number(value ?? Number.NaN);
  }
  const decision = score({ vector, ruleSet, opinion: null });
  expect(bitsOf(decision.risk)).toBe(risk_bits);
  expect(decision).toMatchObject({ score: points, verdict, reasons });
});
