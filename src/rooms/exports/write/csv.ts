/**
 * Rows of an export as CSV (RFC 4180), UTF-8, null as an empty field. A text that a spreadsheet would take for a formula gets an
 * apostrophe in front, as OWASP advises; one that begins with an apostrophe gets another, so that taking one away restores every text.
 */
import type { ExportRow, FlatColumn } from '../columns.ts';
import { CELLS } from './cells.ts';

const LINE_END = '\r\n';

/** The first line of an export from its beginning. */
export const csvHeader = (columns: readonly FlatColumn[]): Uint8Array =>
  Buffer.from(columns.map(({ name }) => name).join(',') + LINE_END);

/** Lines of rows with these columns. */
export function csvWriter(
  columns: readonly FlatColumn[],
): (rows: readonly ExportRow[]) => Uint8Array {
  const writers = columns.map(({ kind, at }) => ({ at, write: CELLS[kind].csv }));
  return (rows) => toLines(rows, writers);
}

type Writer = { readonly at: number; readonly write: (text: string) => string };

function toLines(rows: readonly ExportRow[], writers: readonly Writer[]): Uint8Array {
  let text = '';
  for (const row of rows) {
    let isFirst = true;
    for (const { at, write } of writers) {
      if (!isFirst) text += ',';
      isFirst = false;
      const cell = row[at] ?? null;
      if (cell !== null) text += write(cell);
    }
    text += LINE_END;
  }
  return Buffer.from(text);
}
