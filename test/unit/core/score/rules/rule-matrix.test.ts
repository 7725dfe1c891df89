/**
 * Goal: rules that are data decide to the bit as they did while they were code, on whatever way they reach the engine. Method:
 * test/support/rule-matrix.ts; a million decisions run in `npm run long`.
 */
import { expect, test } from 'vitest';
import { compareDecisions, MATRIX_ARMS } from '../../../../support/rule-matrix.ts';

test('20,000 decisions do not differ', () => {
  const { compared, reasons, differing } = compareDecisions(20_000, 'rules');
  expect(differing).toEqual([]);
  expect(compared).toBeGreaterThanOrEqual(20_000);
  // Vectors on which nothing fires would prove nothing.
  expect(reasons).toBeGreaterThan(5000);
});

test('each way makes the same program', () => {
  for (const { byData } of MATRIX_ARMS) {
    expect(new Set(byData.map(({ program }) => program.code)).size).toBe(1);
    expect(new Set(byData.map(({ sha256 }) => sha256)).size).toBe(1);
  }
});
