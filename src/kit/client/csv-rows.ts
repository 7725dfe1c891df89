/**
 * Rows of CSV (RFC 4180), whose records may have several lines within quotes. Where a quote breaks the cells, its line alone is
 * refused and reading goes on with the next line: otherwise the quote would take the rows behind it along.
 */
import { given } from '../words/describe-issue.ts';
import { Failure } from '../words/failure.ts';
import { trimBlanks } from '../words/plain-text.ts';
import { LINE_BYTES_MAX, type Line, textEmpty } from './text-lines.ts';

type Cells = readonly string[];
/** Gives the body of a record under the header, or why the record is refused. @throws Failure that names what the header lacks */
export type CsvProjection = (header: Cells) => (cells: Cells) => Record<string, unknown> | string;

/** `at` is the first line, or the line that has a fault. Where a quote breaks the cells there are none. */
type CsvRecord = { readonly at: Line; readonly cells: Cells | undefined };
/** Whether the cells of several lines are due to a quote that should not be there. */
type IsBroken = (cells: Cells, lines: readonly Line[]) => boolean;

/** A cell in quotes, with each quote twice, or a cell without quotes, and what ends the cell. */
const CELL = /(?:"([^"]*(?:""[^"]*)*)"|([^",]*))(,|$)/y;
const STRAY_QUOTE =
  'has a quote (") that breaks its cells: a cell with a quote stands in quotes, the quote in it is written twice, and no line of a cell looks like a row';
/** Characters that divide the cells of other files, and their names. */
const DIVIDERS = { ';': 'semicolons (;)', '\t': 'tabs', '|': 'bars (|)' };
/** The line that spreadsheets write before the header. */
const SHEET_DIVIDER = /^"?sep=,"?$/i;

/** @throws Failure where the header is missing, or cannot be used */
export async function* csvRows(blocks: AsyncIterable<readonly Line[]>, projection: CsvProjection) {
  let header: Cells | undefined;
  let project: ReturnType<CsvProjection> = () => ({});
  const toBody = (cells: Cells, { length } = header ?? cells) =>
    cells.length === length
      ? project(cells.map(trimBlanks))
      : `has ${cells.length} cells, the header has ${length}`;
  const isBroken: IsBroken = (cells, lines) => {
    const length = header?.length ?? cells.length;
    if (cells.length !== length || areRows(lines, length)) return true;
    const [, ...others] = lines;
    const values = Object.values(Object(toBody(cells)));
    const isOverLines = values.some((value) => typeof value === 'string' && value.includes('\n'));
    return isOverLines && others.some((line) => cellsOf([line])?.length === length);
  };
  for await (const { at, cells } of recordsOf(blocks, isBroken)) {
    const { line, fault } = at;
    const body = fault ?? (cells === undefined ? STRAY_QUOTE : toBody(cells));
    if (header !== undefined) {
      yield typeof body === 'string' ? { line, detail: body } : { line, body };
    } else {
      header = readHeader(at, cells);
      if (header !== undefined) project = projection(header);
    }
  }
  if (header === undefined) throw textEmpty();
}

/** Undefined for a line that stands before the header. */
function readHeader({ line, text, fault }: Line, cells: Cells | undefined): Cells | undefined {
  if (fault !== undefined) throw headerWrong(`line ${line} ${fault}`);
  if (SHEET_DIVIDER.test(text)) return undefined;
  const names = cells?.map((name) => name.trim());
  const divider = Object.entries(DIVIDERS).find(
    ([mark]) => (names?.join() ?? text).split(mark).length > (names?.length ?? 1),
  );
  if (divider !== undefined) {
    const why = `cells must have commas between them, not ${divider[1]}`;
    throw headerWrong(`${why}: save the file with commas`);
  }
  if (names === undefined) throw headerWrong(`line ${line} ${STRAY_QUOTE}`);
  const twice = names.find((name, nth) => name !== '' && names.indexOf(name) !== nth);
  if (twice === undefined) return names;
  throw headerWrong(`a column must have a name of its own, and ${given(twice)} stands there twice`);
}

const headerWrong = (why: string) =>
  new Failure('invalid', 'HEADER_WRONG', `the header cannot be used: ${why}`);

async function* recordsOf(blocks: AsyncIterable<readonly Line[]>, isBroken: IsBroken) {
  let open: readonly Line[] = [];
  for await (const block of blocks) open = yield* takeRecords([...open, ...block], false, isBroken);
  yield* takeRecords(open, true, isBroken);
}

/** @returns the lines of a record that is open at the end */
function* takeRecords(
  lines: readonly Line[],
  isLast: boolean,
  isBroken: IsBroken,
): Generator<CsvRecord, readonly Line[]> {
  let from = 0;
  for (let at = lines[from]; at !== undefined; at = lines[from]) {
    const end = hasOddQuotes(at) ? behindNextQuote(lines, from + 1) : from + 1;
    const isOpen = end > lines.length;
    const run = lines.slice(from, end);
    const chars = run.reduce((sum, { text }) => sum + text.length, 0);
    const isLong = run.length > 1 && chars > LINE_BYTES_MAX;
    if (isOpen && !isLast && !isLong) return run;
    const read = isOpen || isLong ? undefined : cellsOf(run);
    const cells = read && run.length > 1 && isBroken(read, run) ? undefined : read;
    const faulty = cells && run.find(({ fault }) => fault !== undefined);
    const isBlank = cells?.every((cell) => cell.trim() === '');
    if (isBlank !== true) yield { at: faulty ?? at, cells };
    from += cells === undefined ? 1 : run.length;
  }
  return [];
}

/** Whether the first and the last line would be rows without the quotes that open and close a cell of several lines. */
function areRows(lines: readonly Line[], length: number): boolean {
  const [first, last] = [lines[0]?.text ?? '', lines.at(-1)?.text ?? ''];
  const bare = [without(first, first.lastIndexOf('"')), without(last, last.indexOf('"'))];
  return bare.every((text) => cellsOf([{ line: 0, text }])?.length === length);
}

const without = (text: string, at: number) => text.slice(0, at) + text.slice(at + 1);

const hasOddQuotes = ({ text }: Line) => text.includes('"') && text.split('"').length % 2 === 0;

/** Behind the line that closes a quote; behind the end of all lines where none does. */
function behindNextQuote(lines: readonly Line[], from: number): number {
  for (let at = from; at < lines.length; at++) {
    const line = lines[at];
    if (line !== undefined && hasOddQuotes(line)) return at + 1;
  }
  return lines.length + 1;
}

/** Undefined where a quote breaks the cells. */
function cellsOf(lines: readonly Line[]): Cells | undefined {
  const text = lines.map((line) => line.text).join('\n');
  if (!text.includes('"')) return text.split(',');
  const cells: string[] = [];
  CELL.lastIndex = 0;
  for (;;) {
    const [, quoted, plain = '', end] = CELL.exec(text) ?? [];
    if (end === undefined) return undefined;
    cells.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === '') return cells;
  }
}
