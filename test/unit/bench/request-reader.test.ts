/** Every request is read completely and once, wherever the blocks end. */
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createRequestReader } from '../../../bench/support/request-reader.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const REQUESTS = Array.from({ length: 200 }, (_, n) => `${n}:${'x'.repeat((n * 7) % 40)}`);
const OFFSETS = new Float64Array(REQUESTS.length + 1);
for (const [n, text] of REQUESTS.entries()) OFFSETS[n + 1] = (OFFSETS[n] ?? 0) + text.length;

async function openRequests() {
  const file = join(temporaryFolder(), 'requests');
  await writeFile(file, REQUESTS.join(''));
  return await open(file, 'r');
}

test.each([1, 64, 1000, 1 << 20])('in blocks of %i bytes, by seven at a time', async (bytes) => {
  await using handle = await openRequests();
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
