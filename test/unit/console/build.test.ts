/** Goal: console/dist is what console/ builds. Method: a fresh build into another folder, compared byte for byte. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../../support/risk.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const VITE = join(REPOSITORY, 'node_modules/vite/bin/vite.js');
const DIST = join(REPOSITORY, 'console/dist');
/** Bytes of the first page as they are sent. */
const PACKED_BYTES_MAX = 300 * 1024;

/** Content by path. */
function readBuild(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return Object.fromEntries(
    paths.map((path) => [path.slice(folder.length), readFileSync(path, 'base64')]),
  );
}

test('console/dist is a fresh build of console/ (npm run console:build)', async () => {
  const folder = temporaryFolder();
  await promisify(execFile)(
    process.execPath,
    [VITE, 'build', 'console', '--outDir', folder, '--logLevel', 'error'],
    { cwd: REPOSITORY, env: { PATH: process.env['PATH'] } },
  );
  const [fresh, kept] = [readBuild(folder), readBuild(DIST)];
  expect(Object.keys(kept)).toEqual(Object.keys(fresh));
  expect(Object.keys(kept).filter((path) => kept[path] !== fresh[path])).toEqual([]);
});

test('the page has no inline script or style, and loads nothing from elsewhere', () => {
  const page = readFileSync(join(DIST, 'index.html'), 'utf8');
  expect(page).not.toMatch(/<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=/);
  const targets = [...page.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target);
  expect(targets.length).toBeGreaterThan(2);
  for (const target of targets) expect(target).toMatch(/^\/(console\/assets\/|docs$)/);
});

test('the first page is small', () => {
  const page = readFileSync(join(DIST, 'index.html'), 'utf8');
  const names = [...page.matchAll(/assets\/([^"]+)"/g)].map(([, name]) => name ?? '');
  const bytes = names.map((name) => gzipSync(readFileSync(join(DIST, 'assets', name))).length);
  expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(PACKED_BYTES_MAX);
});
