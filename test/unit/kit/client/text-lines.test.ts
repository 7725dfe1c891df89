/** Goal: bytes become the lines that their writer meant, with true numbers, or a sentence that says what to do. */
import { Readable } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText, type Line, readLines } from '../../../../src/kit/client/text-lines.ts';

async function linesOf(
  chunks: readonly (string | Uint8Array)[],
  lineBytesMax?: number,
): Promise<Line[]> {
  const bytes = Readable.from(chunks.map((chunk) => Buffer.from(chunk)));
  const lines: Line[] = [];
  for await (const some of readLines(bytes, lineBytesMax)) lines.push(...some);
  return lines;
}

const latin1 = (text: string) => Buffer.from(text, 'latin1');
const REMEDY = 'save the file as CSV UTF-8, or convert it with iconv -f';

describe('readLines', () => {
  test.each([
    ['LF', 'a\nb\n\nd\n'],
    ['CRLF', 'a\r\nb\r\n\r\nd\r\n'],
    ['CR', 'a\rb\r\rd\r'],
    ['CRLF, LF and CR in one file', 'a\r\nb\n\rd'],
    ['a header with LF and rows with CRLF', 'a\nb\r\n\r\nd\r\n'],
  ])('numbers lines that end with %s', async (_name, text) => {
    const lines = await linesOf([text]);
    expect(lines.map(({ line, text }) => [line, text])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, ''],
      [4, 'd'],
    ]);
  });

  test('the cuts between chunks change nothing, wherever they lie', async () => {
    const pieces = fc.constantFrom('a', 'é', '€', '😀', '\r', '\n', '\r\n', ',', '"');
    await fc.assert(
      fc.asyncProperty(fc.array(pieces), fc.integer({ min: 1, max: 5 }), async (texts, size) => {
        const bytes = Buffer.from(texts.join(''));
        const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, nth) =>
          bytes.subarray(nth * size, (nth + 1) * size),
        );
        const expected = texts.join('').split(/\r\n|\r|\n/);
        if (expected.at(-1) === '') expected.pop();
        expect((await linesOf(chunks)).map(({ text }) => text)).toEqual(expected);
      }),
    );
  });

  test('a BOM is no character of the text: once, twice, and where files were put together', async () => {
    const lines = await linesOf(['\ufeff\ufeffid\na\n', '\ufeffid\n\ufeffb\n']);
    expect(lines.map(({ text }) => text)).toEqual(['id', 'a', 'id', 'b']);
  });

  test('a line in Windows-1252 is refused alone, with what stands there and the remedy', async () => {
    const lines = await linesOf([
      'id,name,city\n1,Moore,Köln\n',
      latin1('2,M\xfcller,x\n'),
      latin1('3,"M\xf6ller",x\r\n'),
      '4,Müller,x\n',
    ]);
    expect(lines.map(({ fault }) => fault)).toEqual([
      undefined,
      undefined,
      expect.stringContaining(String.raw`from column 4 on, at byte 4 of the line, in 'M\xFCller'`),
      expect.stringContaining(String.raw`from column 5 on, at byte 5 of the line, in 'M\xF6ller'`),
      undefined,
    ]);
    expect(lines[2]?.fault).toContain(`${REMEDY} ENCODING -t UTF-8`);
    expect(lines[4]?.text).toBe('4,Müller,x');
  });

  test.each([
    ['a text cut in the midst of a character', [0x61, 0xe2, 0x82]],
    ['an overlong form', [0x61, 0xc0, 0xaf]],
    ['half a pair of surrogates', [0x61, 0xed, 0xa0, 0x80]],
    ['bytes of Shift-JIS', [0x61, 0x83, 0x65, 0x83, 0x58]],
    ['bytes of Latin-2', [0x61, 0xb1, 0xe6, 0xea]],
  ])('%s is not UTF-8, and no encoding is guessed', async (_name, bytes) => {
    const [line] = await linesOf([Uint8Array.from(bytes)]);
    expect(line?.fault).toContain('is not UTF-8 from column 2 on, at byte 2 of the line');
    expect(line?.fault).not.toContain('1252');
  });

  test.each([
    ['UTF-32', [0xff, 0xfe, 0, 0, 0x69, 0, 0, 0, 0x0a, 0, 0, 0], 'UTF-32'],
    ['UTF-32', [0, 0, 0xfe, 0xff, 0, 0, 0, 0x69, 0, 0, 0, 0x0a], 'UTF-32'],
    ['UTF-16 or UTF-32 without a mark', [0x69, 0, 0, 0, 0x0a, 0, 0, 0], 'ENCODING'],
  ])('a text that is %s: %j', async (form, bytes, from) => {
    await expect(linesOf([Uint8Array.from(bytes)])).rejects.toThrow(
      new RegExp(`^the text is ${form}, not UTF-8: .* iconv -f ${from} -t UTF-8`),
    );
  });

  test.each([
    ['UTF-16', Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('id\tname\r\n', 'utf16le')])],
    [`UTF-16, not UTF-8: ${REMEDY} UTF-16`, Buffer.from('\ufeffid\n', 'utf16le').swap16()],
    ['UTF-16', Buffer.from('id,name\n1,a\n', 'utf16le')],
    ['UTF-16', Buffer.from('id,name\n1,a\n', 'utf16le').swap16()],
    ['a workbook', latin1('PK\x03\x04\x14\x00')],
    ['an old workbook', latin1('\xd0\xcf\x11\xe0\xa1\xb1')],
    ['Parquet', latin1('PAR1\x15\x04')],
    ['packed (gzip)', latin1('\x1f\x8b\x08')],
    ['packed (Zstandard)', latin1('\x28\xb5\x2f\xfd\x04')],
  ])('a text that is %s is refused by that name', async (form, bytes) => {
    await expect(linesOf([bytes])).rejects.toMatchObject({
      code: 'FILE_FORM_WRONG',
      message: expect.stringContaining(`the text is ${form}`),
    });
  });

  test.each([['\n'], ['\r\n'], ['\r']])(
    'a line of too many bytes is refused alone before %j',
    async (end) => {
      const long = Array.from({ length: 9 }, () => 'x'.repeat(3));
      const lines = await linesOf(['a', end, ...long, end, 'b', end], 10);
      expect(lines.map(({ line, text, fault }) => [line, fault ?? text])).toEqual([
        [1, 'a'],
        [2, 'has more than 10 bytes'],
        [3, 'b'],
      ]);
    },
  );

  test('a text that breaks off keeps the lines before, and says so behind them', async () => {
    async function* broken() {
      yield Buffer.from('a\nb\nc');
      throw new Error('unexpected end of file');
    }
    const lines: Line[] = [];
    for await (const some of readLines(broken())) lines.push(...some);
    expect(lines.map(({ line, text, fault }) => [line, fault ?? text])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [3, 'cannot be read, nor any line behind: unexpected end of file'],
    ]);
  });

  test('a line without an end is read in time that grows with its length', async () => {
    const text = `${'x'.repeat(1_000_000)},`;
    const startedMs = performance.now();
    const [line] = await linesOf([latin1(`${text}\xfc`)], 2_000_000);
    expect(line?.fault).toContain('from column 1000002 on');
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });
});

test('decodeText reads a whole file without its BOM, and names the line that is not UTF-8', () => {
  expect(decodeText(Buffer.from('\ufeffa: 1\r\n'))).toBe('a: 1\r\n');
  expect(() => decodeText(latin1('a: 1\r\nb: M\xfcller\n'))).toThrow(/^line 2 is not UTF-8/);
  expect(() => decodeText(Buffer.from('\ufeffa', 'utf16le'))).toThrow('the text is UTF-16');
});
