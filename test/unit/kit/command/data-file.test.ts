/** Goal: a file that is wrong is told all of it, by line and column, in little time. Method: tables of texts. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDataFile, parseData, readDataFile } from '../../../../src/kit/command/data-file.ts';
import { processorMsOf } from '../../../support/processor-time.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';

const said = (text: string) =>
  parseData(text).problems.map(({ line, column, detail }) => `${line}:${column} ${detail}`);

test.each<[string, string, readonly string[]]>([
  ['a key twice', 'a: 1\nb:\n  c: 1\n  c: 2\na: 2\n', ['4:3 c must', '5:1 a must stand here once']],
  ['a member twice in JSON', '{"a": 1, "a": 2}', ['1:10 a must stand here once']],
  ['an anchor and its alias', 'a: &x [1]\nb: *x\n', ['1:4 &x must be without', '2:4 *x must be w']],
  ['a tag', 'a: !!binary aGk=\n', ['1:4 !!binary must be without a tag']],
  ['a directive', '%YAML 1.1\n---\na: 1\n', ['1:1 %YAML 1.1 must be without a directive']],
  ['a key that is a list', '? [a]\n: 1\n', ['1:1 ? must be a name before a colon']],
  ['a tab before a name', 'a:\n\tb: 1\n', ['2:1 Tabs are not allowed']],
  ['two documents', 'a: 1\n---\nb: 2\n', ['2:1 a file must have one document']],
  ['an open bracket', 'a: [1,\nb: 2\n', ['2:1 ']],
  ['an infinite number', 'a: .inf\nb: [1e999]\n', ['1:4 a number', '2:5 a number']],
  [
    'digits that a double drops',
    'a: 12345678901234567890\nb: {"c": 0.30000000000000001}\nd: [0x20000000000001]\n',
    ['1:4 a number must be a number that a double keeps', '2:10 a number', '3:5 a number'],
  ],
  ['digits that a double keeps', 'a: [1E2, -0, +7, .5, 0x1F, 0o17, 0.30000000000000004]\n', []],
  ['digits of a text and of a name', '12345678901234567890: "12345678901234567890"\n', []],
  ['brackets', `a: ${'['.repeat(33)}`, ['1:35 levels must be at most 32']],
  ['a line of JSON', JSON.stringify(Array.from({ length: 40 }, () => ({ a: 1 }))), []],
  ['brackets in quotes', `a: "${'['.repeat(33)}"`, []],
  ['a sentence with marks', 'a: this & that * !x\nb: "&x *y"\nc: |\n  &x\n', []],
  ['comments, and JSON with tabs', '# one\n{\n\t"a": [\n\t\t1 # two\n\t]\n}\n', []],
])('%s', (_, text, wanted) => {
  const found = said(text);
  expect(found).toHaveLength(wanted.length);
  for (const [at, start] of wanted.entries()) expect(found[at]).toContain(start);
});

/** A half megabyte each: as much as is read. */
const LARGE = 500_000;
test.each<[string, string]>([
  ['brackets', '['.repeat(LARGE)],
  ['dashes', '- '.repeat(LARGE / 2)],
  ['question marks', '? '.repeat(LARGE / 2)],
  ['anchors', '&a '.repeat(LARGE / 3)],
  [
    'aliases of aliases',
    `a: &a [x]\n${Array.from({ length: 20_000 }, (_, at) => `b${at}: &b${at} [*a, *a]`).join('\n')}`,
  ],
  ['colons', 'a: '.repeat(LARGE / 3)],
])('a bomb of %s is refused in less than the time of a keystroke or two', (_, text) => {
  const tookMs = processorMsOf(() => expect(parseData(text)).toMatchObject({ value: undefined }));
  expect(tookMs).toBeLessThan(2000);
});

test('40,000 names are read, and the problem list of a broken file ends', () => {
  const names = Array.from({ length: 40_000 }, (_, at) => `k${at}: 1`).join('\n');
  expect(said(names)).toEqual([]);
  expect(said(`[${','.repeat(1000)}]`)).toHaveLength(100);
});

test('a file that is too large, or no text, is refused by name', async () => {
  const path = join(temporaryFolder(), 'a.yaml');
  const refused = async (content: string | Buffer) => {
    writeFileSync(path, content);
    return await readDataFile(path, 100).then(String, ({ message }) => message);
  };
  expect(await refused('a'.repeat(101))).toBe(`${path}: 101 bytes, at most 100 are taken`);
  expect(await refused(Buffer.from([0xff, 0x41]))).toContain(`${path}: `);
  expect(await refused('a: 1\na: 2\nb: *x')).toBe(
    `${path}:3:4: *x must be written out, without an alias`,
  );
  expect(await refused('a: 1\na: 2')).toBe(`${path}:2:1: a must stand here once`);
  expect(await readDataFile(path, 100).catch(() => 'refused')).toBe('refused');
  writeFileSync(path, '\ufeffa: 1\n');
  expect((await openDataFile(path, 100)).value).toEqual({ a: 1 });
});
