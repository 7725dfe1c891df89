import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { lockFile } from '../../../../src/kit/process/lock-file.ts';

const DEAD = '999999999';
const LIVING = String(process.ppid);
const folder = mkdtempSync(join(tmpdir(), 'risk-lock-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'file');
const lock = `${file}.lock`;
const take = () => lockFile(file, 'writes');
const refusal = {
  code: 'FILE_LOCKED',
  message: expect.stringContaining(`process ${LIVING} writes`),
};

beforeEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});

test('the lock of a process that has died is taken over, and removed at disposal', async () => {
  writeFileSync(lock, DEAD);
  // A process that died while it took the lock over left this file.
  writeFileSync(`${lock}.${DEAD}`, '999999998');
  const taken = await take();
  expect(readdirSync(folder)).toEqual(['file.lock']);
  expect(readFileSync(lock, 'utf8')).toBe(String(process.pid));
  await taken[Symbol.asyncDispose]();
  expect(readdirSync(folder)).toEqual([]);
});

test('a process that saw a dead lock does not take the lock of a process that was faster', async () => {
  // Reading the pipe lasts until the test has written to the pipe.
  execFileSync('mkfifo', [lock]);
  const taking = take();
  const pipe = await open(lock, 'w');
  writeFileSync(`${lock}.new`, LIVING);
  renameSync(`${lock}.new`, lock);
  await pipe.writeFile(DEAD);
  await pipe.close();
  await expect(taking).rejects.toMatchObject(refusal);
  expect(readdirSync(folder)).toEqual(['file.lock']);
  expect(readFileSync(lock, 'utf8')).toBe(LIVING);
});

test('while one process takes a dead lock over, another process is refused', async () => {
  writeFileSync(lock, DEAD);
  writeFileSync(`${lock}.${DEAD}`, LIVING);
  await expect(take()).rejects.toMatchObject(refusal);
  expect(readFileSync(lock, 'utf8')).toBe(DEAD);
});

test('a lock bars before the process id is written, and not after the death of the process', async () => {
  writeFileSync(lock, '');
  await expect(take()).rejects.toMatchObject({ code: 'FILE_LOCKED' });
  await utimes(lock, 1, 1);
  await using _taken = await take();
  expect(readFileSync(lock, 'utf8')).toBe(String(process.pid));
});
