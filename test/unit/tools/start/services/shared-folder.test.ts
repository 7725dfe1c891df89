import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeOnce } from '../../../../../src/tools/start/services/shared-folder.ts';
import { temporaryFolder } from '../../../../support/temporary-folder.ts';

test('makeOnce lets two at once both succeed and keeps one whole result', async () => {
  const shared = temporaryFolder();
  const fill = (text: string) => async (draft: string) => {
    writeFileSync(join(draft, 'first'), text);
    // Lets the other process run in between.
    await Promise.resolve();
    writeFileSync(join(draft, 'second'), text);
  };
  const made = await Promise.all([
    makeOnce(shared, 'thing', fill('a')),
    makeOnce(shared, 'thing', fill('b')),
  ]);
  expect(new Set(made)).toEqual(new Set([join(shared, 'thing')]));
  const [first, second] = ['first', 'second'].map((name) =>
    readFileSync(join(shared, 'thing', name), 'utf8'),
  );
  expect(first).toBe(second);
  expect(readdirSync(shared)).toEqual(['thing']);
});

test('makeOnce leaves nothing of a failed attempt, and what is there is not made again', async () => {
  const shared = temporaryFolder();
  const fail = async (draft: string) => {
    writeFileSync(join(draft, 'half'), '');
    throw new Error('no network');
  };
  await expect(makeOnce(shared, 'thing', fail)).rejects.toThrow('no network');
  expect(readdirSync(shared)).toEqual([]);
  await makeOnce(shared, 'thing', async () => undefined);
  await makeOnce(shared, 'thing', fail);
  expect(existsSync(join(shared, 'thing', 'half'))).toBe(false);
});
