/** Goal: a row is read as it was written, and a row that is broken takes no other along. Method: the reader on texts that others reported. */
import { Readable } from 'node:stream';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { csvRows } from '../../../../src/kit/client/csv-rows.ts';
import { readLines } from '../../../../src/kit/client/text-lines.ts';
import { trimBlanks } from '../../../../src/kit/words/plain-text.ts';

/** Each row as its line and its cells, or as its line and why it is refused. */
async function rowsOf(
  text: string | Uint8Array,
  chunkBytes = 64,
  read: readonly string[] = [],
): Promise<unknown[][]> {
  const bytes = Buffer.from(text);
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunkBytes) }, (_, nth) =>
    bytes.subarray(nth * chunkBytes, (nth + 1) * chunkBytes),
  );
  const rows: unknown[][] = [];
  const project = (header: readonly string[]) => (cells: readonly string[]) =>
    Object.fromEntries(
      [...header.entries()]
        .filter(([, name]) => read.length === 0 || read.includes(name))
        .map(([nth, name]) => [name, cells[nth]]),
    );
  for await (const row of csvRows(readLines(Readable.from(chunks)), project)) {
    rows.push([row.line, ...('body' in row ? Object.values(row.body) : [`! ${row.detail}`])]);
  }
  return rows;
}

const BROKEN = expect.stringMatching(/^! has a quote \("\) that breaks its cells/);
const cells = (got: number, header: number) => `! has ${got} cells, the header has ${header}`;

describe('a quote that breaks a row', () => {
  test.each([
    ['in the midst of a cell', 'k3,5" pipe,1.00'],
    ['at the beginning of a cell', 'k3,"acc,1.00'],
    ['at the end of the line', 'k3,acc,1.00"'],
    ['behind a closed cell', 'k3,"acc"x,1.00'],
    ['at the beginning of the line', '"k3,acc,1.00'],
    ['twice in one cell', 'k3,a "big" shop,1.00'],
  ])('%s refuses its row alone', async (_name, bad) => {
    const text = `key,account,amount\nk2,a,1.00\n${bad}\nk4,"b, c",1.00\nk5,"d ""e""",1.00\n`;
    expect(await rowsOf(text)).toEqual([
      [2, 'k2', 'a', '1.00'],
      [3, BROKEN],
      [4, 'k4', 'b, c', '1.00'],
      [5, 'k5', 'd "e"', '1.00'],
    ]);
  });

  test('and its like further down take no row between them', async () => {
    const text = 'key,account,amount\n"k2,a,1.00\nk3,b,1.00\nk4,c,1.00\nk5",d,1.00\nk6,e,1.00\n';
    expect(await rowsOf(text)).toEqual([
      [2, BROKEN],
      [3, 'k3', 'b', '1.00'],
      [4, 'k4', 'c', '1.00'],
      [5, BROKEN],
      [6, 'k6', 'e', '1.00'],
    ]);
  });

  test.each([
    [
      'with rows between',
      'k3,"b,x\nk4,c,y\nk5,d",z',
      [
        [3, BROKEN],
        [4, 'k4'],
        [5, BROKEN],
      ],
    ],
    [
      'in the row behind',
      'k3,b,"x\nk4,c,y"',
      [
        [3, BROKEN],
        [4, BROKEN],
      ],
    ],
    [
      'of another length between',
      'k3,b,"x\nk4,c\nk5,d,z"',
      [
        [3, BROKEN],
        [4, cells(2, 3)],
        [5, BROKEN],
      ],
    ],
  ])('in a column that nobody reads takes no row along: another %s', async (_name, bad, found) => {
    const text = `key,account,note\nk2,a,w\n${bad}\nk6,e,v\n`;
    const last = bad.split('\n').length + 3;
    expect(await rowsOf(text, 64, ['key'])).toEqual([[2, 'k2'], ...found, [last, 'k6']]);
  });

  test('before a cell of several lines leaves that cell whole', async () => {
    const text = 'key,note\nk2,a 5" pipe\nk3,b\nk4,"first\nsecond"\nk6,c\n';
    expect(await rowsOf(text)).toEqual([
      [2, BROKEN],
      [3, 'k3', 'b'],
      [4, 'k4', 'first\nsecond'],
      [6, 'k6', 'c'],
    ]);
  });

  test('in every row costs no more than a look at each', async () => {
    const lines = Array.from({ length: 20_000 }, (_, nth) => `k${nth},5" pipe`);
    const startedMs = performance.now();
    const rows = await rowsOf(`key,note\n${lines.join('\n')}`, 65_536);
    expect(rows).toHaveLength(20_000);
    expect(performance.now() - startedMs).toBeLessThan(10_000);
  });

  test('over more bytes than a record may have is refused, and the rows behind are read', async () => {
    const lines = Array.from({ length: 30_000 }, (_, nth) => `k${nth},${'x'.repeat(40)}`);
    const rows = await rowsOf(`key,note\nbad,"open\n${lines.join('\n')}\n`, 65_536);
    expect(rows[0]).toEqual([2, BROKEN]);
    expect(rows).toHaveLength(30_001);
  });
});

describe('rows of CSV', () => {
  test.each([['\n'], ['\r\n'], ['\r']])(
    'have the line they begin on, where lines end with %j',
    async (end) => {
      const lines = ['key,note', 'k2,"one', '', 'three"', 'k5,x', '', 'k7,"a', 'b"', 'k9'];
      expect(await rowsOf(lines.join(end))).toEqual([
        [2, 'k2', 'one\n\nthree'],
        [5, 'k5', 'x'],
        [7, 'k7', 'a\nb'],
        [9, cells(1, 2)],
      ]);
    },
  );

  test('of several lines may hold what looks like a row', async () => {
    const project = (header: readonly string[]) => (row: readonly string[]) => ({
      key: row[header.indexOf('key')],
    });
    const text = 'key,note,x\nk2,"mail:\na,b,c\nend",1\nk5,y,2\n';
    const found: unknown[] = [];
    for await (const row of csvRows(readLines(Readable.from([Buffer.from(text)])), project)) {
      found.push(row);
    }
    expect(found).toEqual([
      { line: 2, body: { key: 'k2' } },
      { line: 5, body: { key: 'k5' } },
    ]);
  });

  test('without any value are the empty rows that spreadsheets leave', async () => {
    expect(await rowsOf('key,note\nk2,x\n,\n"",""\n  , \nk6,y\n,\n,\n')).toEqual([
      [2, 'k2', 'x'],
      [6, 'k6', 'y'],
    ]);
  });

  test('that are not UTF-8 are refused alone, in cells of several lines too', async () => {
    const text = Buffer.from('key,note\nk2,M\xfcller\nk3,"a\nM\xfc\nb"\nk6,x\n', 'latin1');
    expect(await rowsOf(text)).toEqual([
      [2, expect.stringContaining('! is not UTF-8 from column 5 on')],
      [4, expect.stringContaining('! is not UTF-8 from column 2 on')],
      [6, 'k6', 'x'],
    ]);
  });

  test('are the same rows that another writer wrote, however they are cut', async () => {
    const cell = fc
      .array(fc.constantFrom('a', 'ü', '"', ',', '\n', ';', ' '), { maxLength: 6 })
      .map((texts) => `x${texts.join('')}`);
    const rows = fc.array(fc.tuple(cell, cell, cell), { minLength: 1, maxLength: 20 });
    const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
    await fc.assert(
      fc.asyncProperty(rows, fc.integer({ min: 1, max: 50 }), async (written, size) => {
        // A cell with the two commas of a row may look like a stray quote.
        fc.pre(!written.flat().some((text) => /(.*,){2}/s.test(text)));
        const text = written.map((row) => row.map(quoted).join(',')).join('\r\n');
        const read = await rowsOf(`a,b,c\n${text}`, size);
        expect(read.map(([, ...found]) => found)).toEqual(
          written.map((cells) => cells.map(trimBlanks)),
        );
      }),
      { numRuns: 300 },
    );
  });

  test('have the cells that another parser finds, or none where that parser finds none', async () => {
    const text = fc
      .array(fc.constantFrom('a', '"', '"', ',', ' ', 'é'))
      .map((texts) => texts.join(''));
    await fc.assert(
      fc.asyncProperty(text, async (line) => {
        fc.pre(line.replaceAll(/[",\s]/g, '') !== '');
        const expected = (() => {
          try {
            return parse(line)[0]?.map(trimBlanks);
          } catch {
            return undefined;
          }
        })();
        const columns = Math.max(1, expected?.length ?? 1);
        const header = Array.from({ length: columns }, (_, nth) => `c${nth}`).join();
        const [[, ...found] = []] = await rowsOf(`${header}\n${line}\n`);
        expect(found).toEqual(expected ?? [BROKEN]);
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('a header', () => {
  test('has names without blanks, and a column without a name is nobody’s', async () => {
    expect(await rowsOf('\ufeff, key ,\u00a0note\t,\n0,k2,x,\n')).toEqual([[2, '', 'k2', 'x']]);
  });

  test.each([
    ['semicolons (;)', 'key;account;amount\nk;a;1,00\n'],
    ['semicolons (;)', 'sep=;\nkey;account\nk;a\n'],
    ['semicolons (;)', 'key;"account, own";amount\nk;a;1\n'],
    ['tabs', 'key\taccount\nk\ta\n'],
    ['bars (|)', 'key|account\nk|a\n'],
  ])('with %s between its cells is told so', async (divider, text) => {
    await expect(rowsOf(text)).rejects.toMatchObject({
      code: 'HEADER_WRONG',
      message: expect.stringContaining(`commas between them, not ${divider}`),
    });
  });

  test('may stand behind blank lines, and behind what spreadsheets write of commas', async () => {
    for (const before of ['\r\n\n', 'sep=,\r\n', '"sep=,"\n', ',,\n']) {
      const [row] = await rowsOf(`${before}key,note\nk,x\n`);
      expect(row?.slice(1)).toEqual(['k', 'x']);
    }
  });

  test.each(['label,key,label\n', ' label,key,"label"\n', '\ufefflabel,key,label \r\n'])(
    'that names a column twice is refused: %j',
    async (header) => {
      await expect(rowsOf(`${header}fraud,k,legitimate\n`)).rejects.toThrow(
        "a column must have a name of its own, and 'label' stands there twice",
      );
    },
  );

  test('that cannot be read is refused with its line', async () => {
    const bad = Buffer.from('\nkey,h\xe4ndler\nk,x\n', 'latin1');
    await expect(rowsOf(bad)).rejects.toThrow('line 2 is not UTF-8');
    await expect(rowsOf('key,5" pipe\nk,x\n')).rejects.toThrow('line 1 has a quote');
    for (const empty of ['', '\ufeff', ' \r\n\n']) {
      await expect(rowsOf(empty)).rejects.toMatchObject({ code: 'FILE_EMPTY' });
    }
  });
});
