/**
 * Goal: pages show the figures that `npm run figures` wrote, and the figures are of commits that exist. A stale page fails here;
 * `npx vitest run test/unit/docs --update` writes the page anew.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  compareFigures,
  FIGURES,
  type FigureFile,
  readFigures,
} from '../../../bench/figures/file.ts';
import { fillPage, tablesOf } from '../../../bench/figures/pages.ts';
import { PARTS } from '../../../bench/figures/parts.ts';
import { drawPlot } from '../../../bench/figures/plots.ts';
import { ROOT, readText } from '../ship/ship-files.ts';
import { PAGES } from './documents.ts';

const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, stdio: 'pipe' });
/** A shallow clone lacks the commits of most figures, and an unpacked archive all of them. */
const isShallow =
  !existsSync(join(ROOT, '.git')) ||
  git('rev-parse', '--is-shallow-repository').toString().trim() !== 'false';

const names = existsSync(FIGURES) ? readdirSync(FIGURES) : [];
const files = names.map((name) => readFigures(name.replace('.json', '')) as FigureFile);

function isKnown(commit: string): boolean {
  try {
    git('cat-file', '-e', `${commit}^{commit}`);
    return true;
  } catch {
    return false;
  }
}

test.each(PAGES)('%s has the tables of the measured parts', async (path) => {
  const filled = fillPage(path.replace('docs/', ''), readText(path), PARTS, readFigures);
  await expect(filled).toMatchFileSnapshot(join(ROOT, path));
});

test('plots show the measured figures', async () => {
  for (const file of files) {
    const plot = drawPlot(file);
    if (plot !== undefined)
      await expect(plot).toMatchFileSnapshot(join(ROOT, `docs/plots/${file.part}.svg`));
  }
});

test('each file of figures is of a part, and has no breach', () => {
  expect(files.map(({ part }) => `${part}.json`)).toEqual(names);
  expect(PARTS.map(({ name }) => name)).toEqual(
    expect.arrayContaining(files.map(({ part }) => part)),
  );
  expect(files.flatMap(({ results }) => results.flatMap(({ breaches }) => breaches))).toEqual([]);
});

test('each table has a marker in a page, and each marker a table', () => {
  const places = PAGES.flatMap((path) =>
    [...readText(path).matchAll(/<!--figures:(\S+)-->/g)].map(([, name]) => `${path} ${name}`),
  );
  const tables = PARTS.flatMap((part) =>
    Object.entries(tablesOf(part)).map(([name, { page }]) => `docs/${page} ${name}`),
  );
  expect(places.toSorted()).toEqual(tables.toSorted());
});

test.skipIf(isShallow)(
  'figures are of commits of this history (skipped in a shallow clone)',
  () => {
    expect([isKnown('HEAD'), isKnown('0000000')]).toEqual([true, false]);
    const told = PAGES.flatMap((path) => [
      ...readText(path).matchAll(/commits? ([\da-f]{7,9})\b/g),
    ]);
    const commits = [
      ...told.map(([, commit = '']) => commit),
      ...files.map(({ commit }) => commit),
    ];
    expect(commits.filter((commit) => !isKnown(commit))).toEqual([]);
  },
);

const bare = { per_second: 20_000, cpu_us_per_transaction: 50 };
const made = (perSecond: number, own = bare): FigureFile => ({
  ...{ part: 'drain', measured_at: '2026-12-01T01:02:03.000Z', commit: 'abcdef12', bare: own },
  machine: { cpu: '', cores: 2, memory_bytes: 1, kernel: '', node: '' },
  results: [
    {
      ...{ bench: 'drain', caseName: '1 worker', inputs: {}, perSecond, ceilings: [], tables: [] },
      ...{ figures: { drained_per_second: perSecond, others: perSecond }, breaches: [] },
    },
  ],
});

test('a page has the figures of the file, with day and commit', () => {
  const text = '<!--figures:drain-->\n| old |\n<!--/figures-->\n';
  expect(fillPage('performance.md', text, PARTS, () => undefined)).toBe(text);
  const read = (part: string) => (part === 'drain' ? made(12_345) : undefined);
  expect(fillPage('performance.md', text, PARTS, read).split('\n')).toEqual([
    '<!--figures:drain-->',
    '',
    expect.stringContaining('([2026-12-01](figures/drain.json), abcdef12)|'),
    '|---|---|',
    '|1 worker|12,345|',
    '',
    '<!--/figures-->',
    '',
  ]);
});

test('a figure leaves its interval if it changes by more than the machine does', () => {
  const left = (now: FigureFile) => compareFigures(made(10_000), now).map((one) => one.isLeft);
  const slower = { per_second: 10_000, cpu_us_per_transaction: 100 };
  expect([left(made(24_000)), left(made(2500, slower))]).toEqual([[false], [false]]);
  const gone = { ...made(10_000), results: [] };
  expect([left(made(3900)), left(made(26_000)), left(gone)]).toEqual([[true], [true], [true]]);
});
