/**
 * Rows of an export as CSV (RFC 4180), UTF-8, null as an empty field. A text that a spreadsheet would take for a formula gets an
 * apostrophe in front, as OWASP advises; one that begins with an apostrophe gets another, so that taking one away restores every text.
 */
import { EXPORT_COLUMNS, type ExportRow } from '../columns.ts';
import { CELLS, FLAT_NAMES } from './cells.ts';

const LINE_END = '\r\n';
const WRITERS = EXPORT_COLUMNS.map(({ kind }) => CELLS[kind].csv);

/** The first line of an export from its beginning. */
export const csvHeader = (): Uint8Array => Buffer.from(FLAT_NAMES.join(',') + LINE_END);

export function toCsvLines(rows: readonly ExportRow[]): Uint8Array {
  let text = '';
  for (const row of rows) {
    for (let at = 0; at < WRITERS.length; at++) {
      if (at > 0) text += ',';
      const cell = row[at] ?? null;
      if (cell !== null) text += WRITERS[at]?.(cell);
    }
    text += LINE_END;
  }
  return Buffer.from(text);
}
