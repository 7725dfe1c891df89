/** Goal: plots show what the files of runs say, each on a ground of its own for light and dark pages. */
import { expect, test } from 'vitest';
import { drawPlots, type RunFile } from '../../../bench/support/plots.ts';

const file = (results: RunFile['results']): RunFile => ({
  ...{ measured_at: '2026-11-26T10:00:00.000Z', commit: 'abcdef01', results },
  machine: { cpu: 'CPU <x>', cores: 2 },
});
const pointsOf = (svg: string | undefined) =>
  [...(svg ?? '').matchAll(/<polyline class="s\d" points="([^"]*)"/g)].map(([, points = '']) =>
    points.split(' ').map((point) => point.split(',').map(Number)),
  );

test('a curve has its points by time, and lower where there is less', () => {
  const rows = [
    { second: 0, workers: 1, backlog: 0, offered: 1000 },
    { second: 10, workers: 2, backlog: 4000, offered: 2000 },
    { second: 20, workers: 4, backlog: 1000, offered: 2000 },
  ];
  const results = [
    { bench: 'supervise', caseName: '', inputs: {}, figures: {}, tables: [{ title: '', rows }] },
  ];
  const plots = drawPlots([file(results)]);
  expect([...plots.keys()]).toEqual(['supervise']);
  const svg = plots.get('supervise');
  const [workers = [], waiting = []] = pointsOf(svg);
  expect(workers.map(([x]) => x)).toEqual([56, 376, 696]);
  const heights = workers.map(([, y = 0]) => y);
  expect(heights).toEqual(heights.toSorted((a, b) => b - a));
  expect(waiting[1]).toEqual([376, heights[2]]);
  expect(svg).toContain('2026-11-26, commit abcdef01, 2 cores of CPU &lt;x>');
  expect(svg).toContain('prefers-color-scheme:dark');
  expect(svg).toContain('class="ground"');
});
