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
