/**
 * The only writer to standard output: tables for people, JSON for programs (`--json`). Problems and
 * progress go to standard error, so that a pipe carries results only.
 */
import { styleText } from 'node:util';

export type Cell = string | number | boolean | null | undefined;
/** One column: the field it shows, its heading (default: the field), and how it is aligned. */
export type Column = {
  readonly field: string;
  readonly title?: string;
  readonly align?: 'left' | 'right';
};
export type Row = Readonly<Record<string, unknown>>;

type OutputStream = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

export type Output = {
  /** True when `--json` was given: one JSON document on standard output and nothing else. */
  readonly json: boolean;
  /** True when standard error is a terminal, hence may show a progress bar. */
  readonly progressTerminal: boolean;
  /** One line for people; nothing under `--json`. */
  line(text?: string): void;
  /** One line on standard output in both modes: for a line that programs read, as the ledger. */
  exactLine(text: string): void;
  /** Rows as a table, or as a JSON array of the rows. */
  table(columns: readonly Column[], rows: readonly Row[]): void;
  /** Fields as an aligned list, or as one JSON object. */
  record(fields: Row): void;
  /** The value under `--json`, otherwise the lines. */
  value(value: unknown, lines: readonly string[]): void;
  /** One line on standard error that a person reads while waiting. */
  note(text: string): void;
  /** One line on standard error saying what went wrong. */
  error(text: string): void;
};

type OutputOptions = {
  readonly json: boolean;
  readonly stdout?: OutputStream;
  readonly stderr?: OutputStream;
};

export function createOutput(options: OutputOptions): Output {
  const { json, stdout = process.stdout, stderr = process.stderr } = options;
  const document = (value: unknown) => {
    stdout.write(`${JSON.stringify(value, null, stdout.isTTY === true ? 2 : undefined)}\n`);
  };
  const lines = (texts: readonly string[]) => {
    if (texts.length > 0) stdout.write(`${texts.join('\n')}\n`);
  };
  return {
    json,
    progressTerminal: stderr.isTTY === true,
    line: (text = '') => {
      if (!json) stdout.write(`${text}\n`);
    },
    exactLine: (text) => {
      stdout.write(`${text}\n`);
    },
    table: (columns, rows) => {
      if (json) document(rows);
      else lines(formatTable(columns, rows, stdout.isTTY === true));
    },
    record: (fields) => {
      if (json) document(fields);
      else lines(formatRecord(fields));
    },
    value: (value, texts) => {
      if (json) document(value);
      else lines(texts);
    },
    note: (text) => {
      stderr.write(`${text}\n`);
    },
    error: (text) => {
      stderr.write(`${stderr.isTTY === true ? styleText('red', text) : text}\n`);
    },
  };
}

/** Columns two spaces apart; numbers to the right unless the column says otherwise. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly Row[],
  bold = false,
): string[] {
  const titles = columns.map((column) => column.title ?? column.field);
  const cells = rows.map((row) => columns.map((column) => formatCell(row[column.field])));
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  const toRight = columns.map(
    ({ field, align }) =>
      (align ?? (rows.some((row) => typeof row[field] === 'number') ? 'right' : 'left')) ===
      'right',
  );
  const pad = (line: readonly string[]) =>
    line
      .map((text, index) =>
        toRight[index] ? text.padStart(widths[index] ?? 0) : text.padEnd(widths[index] ?? 0),
      )
      .join('  ')
      .trimEnd();
  const head = pad(titles);
  return [bold ? styleText('bold', head) : head, ...cells.map(pad)];
}

function formatRecord(fields: Row): string[] {
  const width = Math.max(0, ...Object.keys(fields).map((name) => name.length));
  return Object.entries(fields).map(
    ([name, value]) => `${name.padEnd(width)}  ${formatCell(value)}`,
  );
}

/** Absent values are a dash; structured values are compact JSON; line ends cannot break a table. */
function formatCell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value instanceof Date) return value.toISOString();
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/[\r\n\t]+/g, ' ');
}
