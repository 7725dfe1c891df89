/**
 * The only writer to standard output: tables for people, JSON for programs (`--json`). Problems and
 * progress go to standard error, so that a pipe carries results only.
 */
import { styleText } from 'node:util';

export type Cell = string | number | boolean | null | undefined;
/** A column: the field it shows, its heading (default: the field), and how it is aligned. */
export type Column = {
  readonly field: string;
  readonly title?: string;
  readonly align?: 'left' | 'right';
};
export type Row = Readonly<Record<string, unknown>>;

export type OutputStream = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

export type Output = ReturnType<typeof createOutput>;

type OutputOptions = {
  readonly json: boolean;
  readonly stdout?: OutputStream;
  readonly stderr?: OutputStream;
};

const PROGRESS_EVERY_MS = 5_000;

export function createOutput(options: OutputOptions) {
  const { json, stdout = process.stdout, stderr = process.stderr } = options;
  const isTerminal = stderr.isTTY === true;
  let progressMs = performance.now();
  let isChanging = false;
  const clear = () => {
    if (isChanging) stderr.write('\r\u001b[K');
    isChanging = false;
  };
  const result = (text: string) => {
    clear();
    stdout.write(`${text}\n`);
  };
  const document = (value: unknown) => {
    result(JSON.stringify(value, null, stdout.isTTY === true ? 2 : undefined));
  };
  const lines = (texts: readonly string[]) => {
    if (texts.length > 0) result(texts.join('\n'));
  };
  const note = (text: string) => {
    clear();
    stderr.write(`${text}\n`);
  };
  return {
    /** True when `--json` was given: one JSON document on standard output and nothing else. */
    json,
    /** Writes a line for people; nothing under `--json`. */
    line: (text = '') => {
      if (!json) result(text);
    },
    /** Writes a line on standard output in both modes: for a line that programs read, as the ledger. */
    exactLine: result,
    /** Rows as a table, or as a JSON array of the rows. */
    table: (columns: readonly (string | Column)[], rows: readonly Row[]) => {
      if (json) document(rows);
      else lines(formatTable(columns, rows, stdout.isTTY === true));
    },
    /** Fields as an aligned list with a table for each list of objects, or as one JSON object. */
    record: (fields: Row) => {
      if (json) document(fields);
      else lines(formatRecord(fields));
    },
    /** The value under `--json`, otherwise the lines. */
    value: (value: unknown, texts: readonly string[]) => {
      if (json) document(value);
      else lines(texts);
    },
    /** Writes a line on standard error that a person reads while waiting. */
    note,
    /** How far the work is: a line that changes on a terminal, and elsewhere a note every few seconds. */
    progress: (text: string) => {
      if (isTerminal) {
        clear();
        stderr.write(text);
        isChanging = true;
      } else if (performance.now() - progressMs >= PROGRESS_EVERY_MS) {
        progressMs = performance.now();
        note(text);
      }
    },
    /** Writes a line on standard error that says what went wrong. */
    error: (text: string) => {
      note(isTerminal ? styleText('red', text) : text);
    },
  };
}

/** Columns two spaces apart; numbers to the right unless the column says otherwise. */
export function formatTable(
  columns: readonly (string | Column)[],
  rows: readonly Row[],
  bold = false,
): string[] {
  const shown = columns.map((column) => (typeof column === 'string' ? { field: column } : column));
  const titles = shown.map(({ field, title }) => title ?? titleOf(field));
  const values = rows.map((row) => shown.map(({ field }) => valueAt(row, field)));
  const cells = values.map((line) => line.map(formatCell));
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...cells.map((line) => line[index]?.length ?? 0)),
  );
  const toRight = shown.map(({ align }, index) => {
    const isNumeric = values.some((line) => typeof line[index] === 'number');
    return (align ?? (isNumeric ? 'right' : 'left')) === 'right';
  });
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

/** `transaction_id` is `transaction`, `due_at` is `due at`. */
const titleOf = (field: string) => field.replace(/_id$/, '').replaceAll('_', ' ');

/** `message.account_id` is a field of a field. */
const valueAt = (row: Row, field: string) =>
  field.split('.').reduce((value: unknown, name) => Object(value)[name], row);

function formatRecord(fields: Row): string[] {
  const entries = Object.entries(fields);
  const plain = entries.filter(([, value]) => !isTable(value));
  const width = Math.max(0, ...plain.map(([name]) => name.length));
  const tables = entries.flatMap(([name, value]) => {
    if (!isTable(value)) return [];
    return ['', titleOf(name), ...formatTable(Object.keys(value[0] ?? {}), value)];
  });
  return [
    ...plain.map(([name, value]) => `${name.padEnd(width)}  ${formatCell(value)}`),
    ...tables,
  ];
}

const isTable = (value: unknown): value is Row[] =>
  Array.isArray(value) && value.length > 0 && value.every((element) => element === Object(element));

/** Absent values are a dash; lists are words; other structures are compact JSON; line ends cannot break a table. */
function formatCell(value: unknown): string {
  if (value === null || value === undefined) return '-';
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value) && !isTable(value)) return value.map(formatCell).join(' ') || '-';
  const text = typeof value === 'object' ? JSON.stringify(value) : String(value);
  return text.replace(/[\r\n\t]+/g, ' ');
}
