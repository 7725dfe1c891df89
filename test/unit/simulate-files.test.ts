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
    const files = { out: join(folder, `${name}.gz`), labels: join(folder, `${name}.labels`) };
    await writeSimulation(OPTIONS, files, signal);
  }
  await writeSimulation(OPTIONS, { out: join(folder, 'plain'), labels: undefined }, signal);
  const read = (name: string) => readFileSync(join(folder, name));
  expect(read('one.gz').equals(read('two.gz'))).toBe(true);
  expect(read('one.labels').equals(read('two.labels'))).toBe(true);
  expect(gunzipSync(read('one.gz')).equals(read('plain'))).toBe(true);
});

test('parts of a simulation are the whole, and a label is in the part in which it becomes known', async () => {
  const folder = temporaryFolder();
  const splitMs = OPTIONS.endMs - 4 * 86_400_000;
  const bounds = { whole: {}, early: { toMs: splitMs }, late: { fromMs: splitMs } };
  for (const [name, bound] of Object.entries(bounds)) {
    const files = { out: join(folder, name), labels: join(folder, `${name}.labels`) };
    await writeSimulation(OPTIONS, { ...files, ...bound }, signal);
  }
  const read = (name: string) => readFileSync(join(folder, name), 'utf8');
  expect(read('early') + read('late')).toBe(read('whole'));
  const lines = (name: string) => read(`${name}.labels`).trimEnd().split('\n');
  const times = lines('early').map((line) => Date.parse(JSON.parse(line).labelled_at));
  expect(Math.max(...times)).toBeLessThan(splitMs);
  expect([...lines('early'), ...lines('late')].sort()).toEqual(lines('whole').sort());
});

test('risk simulate writes no label that nobody knows by now', async () => {
  const folder = temporaryFolder();
  const [out, labels] = [join(folder, 'near.ndjson'), join(folder, 'near-labels.ndjson')];
  const size = ['--transactions', '2000', '--accounts', '100', '--days', '10'];
  const end = ['--end', new Date().toISOString()];
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
  const lines = readFileSync(labels, 'utf8').trimEnd().split('\n');
  const times = lines.map((line) => Date.parse(JSON.parse(line).labelled_at));
  expect(Math.max(...times)).toBeLessThanOrEqual(Date.now());
  // Ten days less the one to six days of an investigation.
  expect(times.length).toBeGreaterThan(1_000);
  expect(times.length).toBeLessThan(1_700);
});

test('writeSimulation leaves no file behind when it is stopped', async () => {
  const folder = temporaryFolder();
  const stop = new AbortController();
  const writing = writeSimulation(
    { ...OPTIONS, transactions: 50_000_000 },
    { out: join(folder, 'out'), labels: join(folder, 'labels') },
    stop.signal,
  );
  setImmediate(() => stop.abort());
  await expect(writing).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([]);
});
