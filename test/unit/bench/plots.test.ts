/** Goal: plots show what the files of runs say, each on a ground of its own for light and dark pages. */
import { expect, test } from 'vitest';
import { drawPlots, type RunFile } from '../../../bench/support/plots.ts';

const file = (results: RunFile['results']): RunFile => ({
  ...{ measured_at: '2026-11-26T10:00:00.000Z', commit: 'abcdef01', results },
  machine: { cpu: 'CPU <x>', cores: 2 },
});
const cliff = (caseName: string, accounts: number, rate: number) => ({
  ...{ bench: 'cliff', caseName, inputs: { accounts } },
  figures: { end_to_end_per_second: rate, worst_window_per_second: rate / 2 },
});
const pointsOf = (svg: string | undefined) =>
  [...(svg ?? '').matchAll(/<polyline class="s\d" points="([^"]*)"/g)].map(([, points = '']) =>
    points.split(' ').map((point) => point.split(',').map(Number)),
  );

test('a curve has its points in order, on a logarithmic axis, and lower where there is less', () => {
  const plots = drawPlots([
    file([cliff('all in memory', 2000, 10_000), cliff('snapshots empty', 200_000, 1000)]),
    file([cliff('snapshots full', 200_000, 5000), cliff('20000 accounts', 20_000, 8000)]),
  ]);
  expect([...plots.keys()]).toEqual(['cliff']);
  const svg = plots.get('cliff');
  const [mean = [], worst = [], empty = []] = pointsOf(svg);
  expect(mean.map(([x]) => x)).toEqual([56, 376, 696]);
  const heights = mean.map(([, y = 0]) => y);
  expect(heights).toEqual(heights.toSorted((a, b) => a - b));
  expect(worst.map(([x]) => x)).toEqual([56, 376, 696]);
  expect(empty).toHaveLength(1);
  expect(svg).toContain('2026-11-26, commit abcdef01, 2 cores of CPU &lt;x>');
  expect(svg).toContain('prefers-color-scheme:dark');
  expect(svg).toContain('class="ground"');
});

test('growth has a line for each past, and leaves out tables without rows', () => {
  const growth = (rows: number, each: number) => ({
    ...{ bench: 'growth', caseName: '', inputs: { rows, rows_each_account: each } },
    figures: { cpu_us_per_transaction: 150 },
  });
  const results = [growth(5e6, 20), growth(4e5, 20), growth(0, 20), growth(5e6, 80)];
  const together = { bench: 'growth', caseName: 'together', inputs: {}, figures: {} };
  const svg = drawPlots([file([...results, together])]).get('growth');
  expect(pointsOf(svg).map(({ length }) => length)).toEqual([2, 1]);
  expect(svg).not.toContain('NaN');
});

test('bars are as long as their values, rivals from the cheapest', () => {
  const rival = (caseName: string, us: number, batch: number) => ({
    ...{ bench: 'rivals', caseName, inputs: { batch } },
    figures: { cpu_us_per_transaction_median: us },
  });
  const svg = drawPlots([
    file([rival('engine', 100, 1000), rival('plain', 50, 1000), rival('bullmq', 400, 1)]),
  ]).get('rivals');
  expect([...(svg ?? '').matchAll(/width="([\d.]+)" height="16"/g)].map(([, w]) => w)).toEqual([
    '390',
    '48.8',
    '97.5',
  ]);
  expect(svg).toContain('single posts: bullmq');
  expect(svg?.indexOf('1000: plain')).toBeLessThan(svg?.indexOf('1000: engine') ?? 0);
});

test('waits have three ranks each', () => {
  const decide = (rate: number) => ({
    ...{ bench: 'decide', caseName: `${rate} posts a second`, inputs: {} },
    figures: { decided_p50_ms: 10, decided_p95_ms: 20, decided_p99_ms: 40 },
  });
  const svg = drawPlots([file([decide(500), decide(2000)])]).get('decide') ?? '';
  expect([...svg.matchAll(/height="16"/g)]).toHaveLength(6);
  expect(svg).toContain('2000 posts a second, p99');
});

test('files without results of a bench that is drawn give no plot', () => {
  expect(drawPlots([file([])]).size).toBe(0);
});

test('supervised workers are drawn over even time, without dots', () => {
  const row = (second: number, workers: number) => ({
    second,
    workers,
    backlog: 1000,
    offered: 50,
  });
  const tables = [{ title: 'over time', rows: [row(1, 1), row(2, 2), row(5, 1)] }];
  const result = { bench: 'supervise', caseName: '', inputs: {}, figures: {}, tables };
  const svg = drawPlots([file([result])]).get('supervise');
  const [workers = [], backlog = []] = pointsOf(svg);
  expect(workers.map(([x]) => x)).toEqual([56, 216, 696]);
  expect(new Set(backlog.map(([, y]) => y)).size).toBe(1);
  expect(svg).not.toContain(' r="3"');
});
