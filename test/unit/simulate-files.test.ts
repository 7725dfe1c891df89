/** Goal: the files of `risk simulate` are complete, repeatable, and never partly written. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { writeSimulation } from '../../src/tools/simulate/command.ts';
import { runRisk } from '../support/run-risk.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const OPTIONS = {
  transactions: 3_000,
  accounts: 200,
  merchants: 50,
  days: 10,
  endMs: Date.UTC(2026, 10, 1),
  seed: 'files',
  fraudRate: 0.05,
};
const { signal } = new AbortController();

test('writeSimulation writes the same bytes twice, compressed and plain', async () => {
  const folder = temporaryFolder();
  for (const name of ['one', 'two']) {
    const files = { out: join(folder, `${name}.csv.gz`), labels: join(folder, `${name}.labels`) };
    await writeSimulation(OPTIONS, { ...files, format: 'csv' }, signal);
  }
  await writeSimulation(
    OPTIONS,
    { out: join(folder, 'plain.csv'), labels: undefined, format: 'csv' },
    signal,
  );
  const read = (name: string) => readFileSync(join(folder, name));
  expect(read('one.csv.gz').equals(read('two.csv.gz'))).toBe(true);
  expect(read('one.labels').equals(read('two.labels'))).toBe(true);
  expect(gunzipSync(read('one.csv.gz')).equals(read('plain.csv'))).toBe(true);
});

test('risk simulate writes one corridor, and no label that nobody knows by now', async () => {
  const folder = temporaryFolder();
  const [out, labels] = [join(folder, 'near.csv'), join(folder, 'near-labels.csv')];
  const size = ['--transactions', '2000', '--accounts', '100', '--merchants', '50', '--days', '10'];
  const end = ['--end', new Date().toISOString(), '--corridor', 'US-EG'];
  const { code, stderr } = await runRisk([
    'simulate',
    ...size,
    ...end,
    '--out',
    out,
    '--labels',
    labels,
  ]);
  expect([code, stderr]).toEqual([0, '']);
  const columnOf = (file: string, at: number) => {
    const [, ...lines] = readFileSync(file, 'utf8').trimEnd().split('\n');
    return lines.map((line) => line.split(',')[at] ?? '');
  };
  expect(new Set(columnOf(out, 5))).toEqual(new Set(['US-EG']));
  const times = columnOf(labels, 2).map(Date.parse);
  expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
  // Ten days less the one to six days of an investigation.
  expect(times.length).toBeGreaterThan(1_000);
  expect(times.length).toBeLessThan(1_700);
  const wrong = await runRisk(['simulate', '--corridor', 'US-XX', '--out', out]);
  expect([wrong.code, wrong.stderr]).toEqual([
    2,
    expect.stringContaining('--corridor must be one of'),
  ]);
});

test('writeSimulation leaves no file behind when it is stopped', async () => {
  const folder = temporaryFolder();
  const stop = new AbortController();
  const writing = writeSimulation(
    { ...OPTIONS, transactions: 50_000_000 },
    { out: join(folder, 'out.csv'), labels: join(folder, 'labels.csv'), format: 'csv' },
    stop.signal,
  );
  setImmediate(() => stop.abort());
  await expect(writing).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([]);
});
