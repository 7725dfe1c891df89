/** Goal: what a bench reads from a role, and what it writes for people. */
import { describe, expect, test } from 'vitest';
import type { Bench, BenchReport } from '../../../bench/support/bench.ts';
import { BARE_CEILING, CPU_TITLE, endToEndTable } from '../../../bench/support/end-to-end-table.ts';
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

const RUN = {
  ...{ measuredAt: '2026-11-20T09:30:00.000Z', commit: 'abcdef01' },
  machine: { cpu: 'CPU', cores: 2, memory_bytes: 2 ** 30, kernel: 'linux', node: '24.0.0' },
};

describe('toMarkdown()', () => {
  const report = (caseName: string, more: Partial<BenchReport>): BenchReport => ({
    ...{ caseName, inputs: { seed: '1' }, versions: { postgres: '18.4' }, perSecond: 500 },
    settings: {},
    ...{ figures: {}, ceilings: [], tables: [], breaches: [] },
    ...more,
  });
  const document = toMarkdown({
    ...RUN,
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
      'commit abcdef01, CPU, 2 cores',
      '`seed=1`',
      '`postgres=18.4`',
      '**Breach:** lost 3',
      '`RISK_SHARDS=4`',
      '`none differ from the defaults`',
    ]) {
      expect(document).toContain(text);
    }
  });

  test('writes the table that documents show before the others', () => {
    const cpu = ['api', 'workers', 'postgres', 'redis', 'generator', 'together'].map(
      (role, index) => ({ role, us_per_transaction: `${index + 1}.0` }),
    );
    const figures = {
      ...{ slowest_5s_per_second: 400.4, lost: 0, doubled: 0 },
      ...{ accepted_to_stored_p50_ms: 12.3, accepted_to_stored_p99_ms: 1234.5 },
    };
    const run = (caseName: string, more: Partial<BenchReport>) =>
      report(caseName, {
        inputs: { model: 'none', workers: 1 },
        ...{ figures, tables: [{ title: CPU_TITLE, rows: cpu }], ...more },
      });
    const bench: Bench = {
      ...{ name: 'end-to-end', question: 'How many?', run: () => (async function* () {})() },
      summary: endToEndTable,
    };
    const reports = [
      run('day', { ceilings: [{ name: BARE_CEILING, perSecond: 1000 }] }),
      run('day, capped', { inputs: { model: '200 trees', workers: 2 } }),
    ];
    const lines = toMarkdown({ ...RUN, benches: [{ bench, reports }] }).split('\n');
    const at = lines.findIndex((line) => line.startsWith('| load |'));
    expect(lines[at]).toBe(
      '| load | scored a second | slowest 5 s | by the bare pipeline | µs: API, workers, Postgres, Redis, all | accepted to stored, p50 / p99 | lost, scored twice |',
    );
    expect(lines[at + 2]).toBe(
      '| day | 500 | 400 | 0.50 | 1.0, 2.0, 3.0, 4.0, 6.0 | 12 / 1,235 ms | 0, 0 |',
    );
    expect(lines[at + 3]).toContain('| day, capped, 200 trees, 2 workers | 500 | 400 |  |');
    expect(lines.findIndex((line) => line.startsWith('| figure |'))).toBeGreaterThan(at);
  });
});
