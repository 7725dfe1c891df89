/**
 * Goal: scoring under a rule set that ever decided is unchanged to the last bit. Method: fixed vectors with their
 * exact decisions. A failure here is never mended by rewriting a file: numbers that ever decided stay, and
 * other numbers are another rule set (and a line in the CHANGELOG).
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  FEATURE_COUNT,
  type FeatureName,
  featureIndex,
  featuresOfSchema,
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

const FILES = ['scores-default-1.json', 'scores-default-2.json', 'scores-default-3.json'];

function bitsOf(value: number): string {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleBE(value);
  return bytes.toString('hex');
}

describe.each(FILES)('%s', (file) => {
  const golden: Golden = JSON.parse(readFileSync(new URL(`./${file}`, import.meta.url), 'utf8'));
  const ruleSet = findRuleSet(golden.rule_set);

  test('its rule set and feature schema are known', () => {
    expect(ruleSet?.featureSchema).toBe(golden.feature_schema);
    expect(featuresOfSchema(golden.feature_schema)).toBeDefined();
  });

  test.each(golden.cases)('$name', ({ features, score: points, risk_bits, verdict, reasons }) => {
    if (ruleSet === undefined) throw new Error(`${golden.rule_set} is gone`);
    const vector = new Float64Array(FEATURE_COUNT).fill(Number.NaN);
    for (const [name, value] of Object.entries(features)) {
      vector[featureIndex(name as FeatureName)] = Number(value ?? Number.NaN);
    }
    const decision = score({ vector, ruleSet, opinion: null });
    expect(bitsOf(decision.risk)).toBe(risk_bits);
    expect(decision).toMatchObject({ score: points, verdict, reasons });
  });
});
