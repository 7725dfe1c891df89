/** Goal: what a bench reads from a role, and what it writes for people. */
import { describe, expect, test } from 'vitest';
import type { BenchReport } from '../../../bench/support/bench.ts';
import { metricNames, sumMetric } from '../../../bench/support/metrics.ts';
import { toMarkdown } from '../../../bench/support/report-markdown.ts';

describe('sumMetric()', () => {
  const text = `# HELP risk_scored_total Scores.
# TYPE risk_scored_total counter
risk_scored_total{corridor="US-EG",verdict="approve"} 40
risk_scored_total{corridor="a } b",verdict="review"} 2
risk_scored_total_seconds{corridor="US-EG"} 1000
risk_plain 7.5`;

  test('adds up the samples of exactly that name, whatever their labels hold', () => {
    expect(sumMetric(text, 'risk_scored_total')).toBe(42);
    expect(sumMetric(text, 'risk_plain')).toBe(7.5);
    expect(sumMetric(text, 'risk_absent')).toBe(0);
  });

  test('names are those of samples, each once', () => {
    expect(metricNames(text)).toEqual([
      'risk_scored_total',
      'risk_scored_total_seconds',
      'risk_plain',
    ]);
  });
});

describe('toMarkdown()', () => {
  const report = (caseName: string, more: Partial<BenchReport>): BenchReport => ({
    ...{ caseName, inputs: { seed: '1' }, versions: { postgres: '18.4' }, perSecond: 500 },
    settings: {},
    ...{ figures: {}, ceilings: [], tables: [], breaches: [] },
    ...more,
  });
  const document = toMarkdown({
    measuredAt: '2026-11-20T09:30:00.000Z',
    machine: { cpu: 'CPU', cores: 2, memory_bytes: 2 ** 30, kernel: 'linux', node: '24.0.0' },
    benches: [
      {
        bench: { name: 'ingest', question: 'How many?', run: () => (async function* () {})() },
        reports: [
          report('one', {
            settings: { RISK_SHARDS: '4' },
            figures: { seconds: 1.5 },
            ceilings: [{ name: 'COPY', perSecond: 1000 }],
          }),
          report('two', { figures: { p99_ms: 12 }, breaches: ['lost 3'] }),
        ],
      },
    ],
  });

  test('has a column a case and a row a figure, with shares of ceilings', () => {
    const lines = document.split('\n');
    expect(lines).toContain('| figure | one | two |');
    expect(lines).toContain('| seconds | 1.50 | – |');
    expect(lines).toContain('| p99_ms | – | 12 |');
    expect(lines).toContain('| share of: COPY | 0.500 | – |');
  });

  test('names machine, inputs, versions and breaches', () => {
    for (const text of [
      'CPU, 2 cores',
      '`seed=1`',
      '`postgres=18.4`',
      '**Breach:** lost 3',
      '`RISK_SHARDS=4`',
      '`none differ from the defaults`',
    ]) {
      expect(document).toContain(text);
    }
  });
});
