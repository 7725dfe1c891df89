/** Goal: what a bench reads from a role. */
import { expect, test } from 'vitest';
import { sumMetric } from '../../../bench/support/metrics.ts';

const text = `# HELP risk_scored_total Scores.
# TYPE risk_scored_total counter
risk_scored_total{corridor="US-EG",verdict="approve"} 40
risk_scored_total{corridor="a } b",verdict="review"} 2
risk_scored_total_seconds{corridor="US-EG"} 1000
risk_plain 7.5`;

test('sumMetric() adds up the samples of exactly that name, whatever their labels hold', () => {
  expect(sumMetric(text, 'risk_scored_total')).toBe(42);
  expect(sumMetric(text, 'risk_plain')).toBe(7.5);
  expect(sumMetric(text, 'risk_absent')).toBe(0);
});
