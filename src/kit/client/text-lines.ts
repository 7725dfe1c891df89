/**
 * Bytes as numbered lines of text. Text is UTF-8, with a BOM or without, and LF, CRLF or CR ends a line, also in one file. A line
 * that cannot be read has its fault, and a file of another form is refused by the form's name.
 */
import { isUtf8 } from 'node:buffer';
import { shortText } from '../words/describe-issue.ts';
import { Failure, toError } from '../words/failure.ts';

export type Line = {
  /** From 1, in the unpacked text. */
  readonly line: number;
  readonly text: string;
  /** Why no row can be read from the line. */
  readonly fault?: string;
};

/** A longer line is not one row: the API takes 64 KiB. */
export const LINE_BYTES_MAX = 1024 * 1024;
const CELL_CHARS_SHOWN = 40;
const [LF, CR] = [0x0a, 0x0d];
const BOM = '\ufeff';
/** The character that a text has in place of bytes that are not UTF-8. */
const REPLACEMENT = '\ufffd';
const CELL_ENDS = [',', ';', '\t', '"'];
/** Text of a line that has a fault: a line without text would be a blank one. */
const UNREAD = '…';
const LENIENT = new TextDecoder('utf-8', { ignoreBOM: true });
/** Bytes beyond ASCII in a text whose characters are bytes. */
const BEYOND_ASCII = /[\x80-\xff]/g;

/** First bytes of files that are no text in UTF-8, each byte as a character. */
const FORMS: Readonly<Record<string, string>> = {
  '\xff\xfe\0\0': 'UTF-32',
  '\0\0\xfe\xff': 'UTF-32',
  '\xff\xfe': 'UTF-16',
  '\xfe\xff': 'UTF-16',
  'PK\x03\x04': 'a workbook or an archive (ZIP)',
  '\xd0\xcf\x11\xe0': 'an old workbook (XLS)',
  PAR1: 'Parquet',
  '\x1f\x8b': 'packed (gzip)',
  '\x28\xb5\x2f\xfd': 'packed (Zstandard)',
  BZh: 'packed (bzip2)',
  '\xfd7zXZ': 'packed (xz)',
};
const HEAD_BYTES = 8;

/**
 * Lines as they arrive. A text that breaks off, or a line of more bytes, has a fault and spoils no line before.
 * @throws Failure where the text has another form
 */
export async function* readLines(
  bytes: AsyncIterable<Uint8Array>,
  lineBytesMax = LINE_BYTES_MAX,
): AsyncGenerator<readonly Line[], void> {
  let [count, isCut] = [0, false];
  let rest: Buffer = Buffer.alloc(0);
  const number = (part: Buffer): Line[] => {
    if (count === 0) refuseForm(part);
    const [first, ...others] = linesIn(part);
    const fault = `has more than ${lineBytesMax} bytes`;
    const found = [isCut || first === undefined ? { text: UNREAD, fault } : first, ...others];
    isCut = false;
    return found.map((line) => ({ ...line, line: ++count }));
  };
  try {
    for await (const chunk of bytes) {
      const block = Buffer.concat([rest, chunk]);
      const end = behindLastLine(block);
      if (end > 0) yield number(block.subarray(0, end));
      rest = block.subarray(end);
      isCut ||= rest.length > lineBytesMax;
      if (isCut) rest = rest.subarray(-1);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    const fault = `cannot be read, nor any line behind: ${toError(error).message}`;
    yield [{ line: count + 1, text: UNREAD, fault }];
    return;
  }
  if (rest.length > 0) yield number(rest);
}

/** The text of a whole file. @throws Error that names the first line that is not UTF-8, or the form of the file */
export function decodeText(bytes: Buffer): string {
  refuseForm(bytes);
  const lines = isUtf8(bytes) ? [] : linesIn(bytes);
  const bad = lines.findIndex(({ fault }) => fault !== undefined);
  if (bad >= 0) throw new Error(`line ${bad + 1} ${lines[bad]?.fault}`);
  return withoutBom(LENIENT.decode(bytes));
}

/** A CR at the end may be half of a CRLF. */
function behindLastLine(block: Buffer): number {
  const cr = block.length < 2 ? -1 : block.lastIndexOf(CR, block.length - 2);
  return Math.max(block.lastIndexOf(LF), cr) + 1;
}

function linesIn(part: Buffer): Omit<Line, 'line'>[] {
  if (isUtf8(part)) {
    const text = LENIENT.decode(part);
    const lines = splitLines(text);
    if (!text.includes(BOM)) return lines.map((line) => ({ text: line }));
    return lines.map((line) => ({ text: withoutBom(line) }));
  }
  // As Latin-1 each byte is a character.
  return splitLines(part.toString('latin1')).map((latin1) => {
    const bytes = Buffer.from(latin1, 'latin1');
    const text = withoutBom(LENIENT.decode(bytes));
    return isUtf8(bytes) ? { text } : { text, fault: utf8Fault(bytes) };
  });
}

/** Files that were put together have a BOM in their midst. */
const withoutBom = (text: string) => text.replace(/^\ufeff+/, '');

function splitLines(text: string): string[] {
  const lines = text.split(text.includes('\r') ? /\r\n|\r|\n/ : '\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function utf8Fault(bytes: Buffer): string {
  const [before = ''] = LENIENT.decode(bytes).split(REPLACEMENT, 1);
  const cellAt = Math.max(...CELL_ENDS.map((mark) => before.lastIndexOf(mark))) + 1;
  const from = Buffer.byteLength(before);
  const [rest = ''] = bytes.toString('latin1', from).split(/[,;\t"]/, 1);
  const hex = (byte: string) => byte.charCodeAt(0).toString(16).toUpperCase();
  const cell = before.slice(cellAt) + rest.replaceAll(BEYOND_ASCII, (byte) => `\\x${hex(byte)}`);
  const where = `from column ${before.length + 1} on, at byte ${from + 1} of the line`;
  return `is not UTF-8 ${where}, in '${shortText(cell, CELL_CHARS_SHOWN)}': ${convertFrom('ENCODING')}, where ENCODING is the encoding of the file`;
}

const convertFrom = (encoding: string) =>
  `save the file as CSV UTF-8, or convert it with iconv -f ${encoding} -t UTF-8`;

export const textEmpty = () =>
  new Failure(
    'invalid',
    'FILE_EMPTY',
    'the text is empty: CSV has a header in its first line, and NDJSON an object a line',
  );

function refuseForm(bytes: Buffer): void {
  const head = bytes.toString('latin1', 0, HEAD_BYTES);
  const known = Object.keys(FORMS).find((beginning) => head.startsWith(beginning));
  // Letters of UTF-16 and UTF-32 have zero bytes, and only a BOM says which of the two a text is.
  const isUnmarked = known === undefined && head.slice(0, 2).includes('\0');
  const form = isUnmarked ? 'UTF-16 or UTF-32 without a mark' : FORMS[known ?? ''];
  if (form === undefined) return;
  const which = ', where ENCODING is UTF-16LE, UTF-16BE, UTF-32LE or UTF-32BE';
  const convert = isUnmarked ? convertFrom('ENCODING') + which : convertFrom(form);
  const remedy = form.startsWith('UTF-') ? convert : 'give its rows as CSV or NDJSON in UTF-8';
  throw new Failure('invalid', 'FILE_FORM_WRONG', `the text is ${form}, not UTF-8: ${remedy}`);
}
