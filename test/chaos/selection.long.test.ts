/**
 * Goal: nothing is lost or doubled under a few of the faults; the whole suite is
 * `npm run chaos`. Method: the command itself, with few transactions; its table and its exit code.
 */
import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { REPOSITORY } from '../support/risk.ts';
import { makeTestFolder } from '../support/service-folder.ts';

const SELECTION = ['api-before-append', 'redis-wiped'];
/** Under a minute on two idle cores; longer beside all other tests. */
const TIMEOUT_MS = 360_000;

let folder: string;
beforeAll(() => {
  folder = makeTestFolder();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test('a selection of the fault suite holds', { timeout: TIMEOUT_MS }, async () => {
  const arguments_ = ['test/chaos/run.ts', ...SELECTION, '--tx', '1000'];
  const run = promisify(execFile)('/bin/sh', ['bin/risk-dev', ...arguments_], {
    ...{ cwd: REPOSITORY, timeout: TIMEOUT_MS },
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], TMPDIR: folder },
  });
  // Where it fails, its table says why.
  const { stdout } = await run.catch((error) => {
    throw new Error(`${error.message}\n${error.stdout}`, { cause: error });
  });
  const rows = stdout.split('\n').filter((line) => /\bok$/.test(line) && !line.startsWith(' '));
  expect(rows.map((line) => line.split(/\s+/)[0])).toEqual(SELECTION);
  expect(stdout).toContain(`${SELECTION.length} held, 0 breached, 0 not run`);
});
