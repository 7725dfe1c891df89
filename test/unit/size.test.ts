/**
 * Goal: the tree does not grow unnoticed. Method: lines by folder, comments included, and words of the documents, against
 * `test/size.json`. A bound falls with what a change deletes; it rises only to what an open issue allows, whose title stands beside it.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { REPOSITORY } from '../support/risk.ts';
import { readSources } from '../support/source-files.ts';
import { DOCUMENTS } from './docs/documents.ts';
import { readText } from './ship/ship-files.ts';

type Bound = { readonly max: number; readonly issue?: string };

const CODE = /\.(ts|tsx|lua|sql|css)$/;
/** Written by `npm run api-types`, and no part of the repository. */
const GENERATED = 'src/kit/client/api-types.ts';

const bounds: Readonly<Record<string, Bound>> = JSON.parse(
  readFileSync(join(REPOSITORY, 'test/size.json'), 'utf8'),
);

function linesOf(folder: string): number {
  return readSources(folder, CODE)
    .filter(({ path }) => path !== GENERATED)
    .reduce((lines, { text }) => lines + text.split('\n').length - 1, 0);
}

function sizeOf(name: string): number {
  if (name === 'files of src') return readSources('src', /\.ts$/).length - 1;
  if (name !== 'words of documents') return linesOf(name);
  // The changelog grows with each release.
  const documents = DOCUMENTS.filter((document) => document !== 'CHANGELOG.md');
  const texts = [...documents, 'src/core/README.md'].map(readText);
  return texts.reduce((words, text) => words + (text.match(/\S+/g)?.length ?? 0), 0);
}

test.each(Object.entries(bounds))('%s is not larger than its bound', (name, { max }) => {
  expect(sizeOf(name)).toBeGreaterThan(0);
  expect(sizeOf(name), `delete something, or name the issue that allows more`).toBeLessThanOrEqual(
    max,
  );
});

test('each folder of code has a bound', () => {
  const folders = ['src', 'src/core', 'src/kit', 'src/rooms', 'src/tools', 'src/main'];
  expect(Object.keys(bounds)).toEqual(
    expect.arrayContaining([...folders, 'sql', 'test', 'bench', 'console/src']),
  );
});
