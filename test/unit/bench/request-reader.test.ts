/** Every request is read completely and once, wherever the blocks end. */
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createRequestReader } from '../../../bench/support/request-reader.ts';

const REQUESTS = Array.from({ length: 200 }, (_, n) => `${n}:${'x'.repeat((n * 7) % 40)}`);
const OFFSETS = new Float64Array(REQUESTS.length + 1);
for (const [n, text] of REQUESTS.entries()) OFFSETS[n + 1] = (OFFSETS[n] ?? 0) + text.length;

let folder: string;
let file: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'risk-requests-'));
  file = join(folder, 'requests');
  await writeFile(file, REQUESTS.join(''));
});
afterAll(() => rm(folder, { recursive: true }));

test.each([1, 64, 1000, 1 << 20])('in blocks of %i bytes, by seven at a time', async (bytes) => {
  await using handle = await open(file, 'r');
  const read = createRequestReader(handle, OFFSETS, bytes);
  const seen: string[] = [];
  let next = 0;
  const drive = async () => {
    for (let index = next++; index < REQUESTS.length; index = next++) {
      seen[index] = (await read(index)).toString();
    }
  };
  await Promise.all(Array.from({ length: 7 }, drive));
  expect(seen).toEqual(REQUESTS);
});

test('a file that ends too early is no request', async () => {
  await using handle = await open(file, 'r');
  const read = createRequestReader(handle, Float64Array.from([0, 1 << 16]), 16);
  await expect(read(0)).rejects.toThrow('ends before 65536');
});
