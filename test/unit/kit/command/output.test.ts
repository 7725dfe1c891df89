import { expect, test } from 'vitest';
import { createOutput } from '../../../../src/kit/command/output.ts';

const COLUMNS = [{ field: 'name' }, { field: 'count', title: 'how many' }, { field: 'note' }];
const ROWS = [
  { name: 'a', count: 5, note: 'one\nline' },
  { name: 'longer', count: 1000, note: null },
];

function capture(json: boolean) {
  const written = { out: '', err: '' };
  const stdout = { write: (text: string) => (written.out += text) };
  const stderr = { write: (text: string) => (written.err += text) };
  return { written, output: createOutput({ json, stdout, stderr }) };
}

test('table aligns columns, numbers to the right, one line a row', () => {
  const { written, output } = capture(false);
  output.table(COLUMNS, ROWS);
  expect(written.out).toBe(
    ['name    how many  note', 'a              5  one line', 'longer      1000  -', ''].join('\n'),
  );
});

test('table is one JSON array of the whole rows under --json, and line is silent', () => {
  const { written, output } = capture(true);
  output.line('for people');
  output.table(COLUMNS, ROWS);
  expect(JSON.parse(written.out)).toEqual(ROWS);
});

test('notes and errors go to standard error in both modes', () => {
  for (const json of [false, true]) {
    const { written, output } = capture(json);
    output.note('waiting');
    output.error('broken');
    expect(written).toEqual({ out: '', err: 'waiting\nbroken\n' });
  }
});
