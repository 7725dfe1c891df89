/**
 * Rows of an export as CSV (RFC 4180), UTF-8, null as an empty field. A spreadsheet takes a cell that begins with = + - or @ for
 * a formula, and what an integrator sends may begin so: such a text gets an apostrophe in front, as OWASP advises. A text that begins
 * with an apostrophe gets one, too, so that taking the first one away restores every text.
 */
import type { ExportColumn, ExportRow } from '../store/export-columns.ts';
import { FLAT_COLUMNS, reasonCodes } from './flat-columns.ts';
import { timeText } from './time-text.ts';

const LINE_END = '\r\n';

/** The first line of an export from its beginning. */
export const csvHeader = (): Uint8Array =>
  Buffer.from(FLAT_COLUMNS.map(({ name }) => name).join(',') + LINE_END);

export function toCsvLines(rows: readonly ExportRow[]): Uint8Array {
  let text = '';
  for (const row of rows) {
    for (let at = 0; at < FLAT_COLUMNS.length; at++) {
      if (at > 0) text += ',';
      const cell = row[at];
      if (cell !== null && cell !== undefined)
        text += toCell(FLAT_COLUMNS[at] as ExportColumn, cell);
    }
    text += LINE_END;
  }
  return Buffer.from(text);
}

function toCell({ name, kind }: ExportColumn, text: string): string {
  switch (kind) {
    case 'plain':
    case 'integer':
    case 'float':
      return text;
    case 'time':
      return timeText(text);
    case 'json':
      return name === 'reason_codes' ? reasonCodes(text).join(' ') : quoted(text);
    case 'text':
      return quoted(FORMULA.test(text) ? `'${text}` : text);
  }
}

const FORMULA = /^[=+\-@\t\r\n']/;
/** An empty text is no null. */
const SPECIAL = /^$|[",\r\n]/;

const quoted = (text: string) => (SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
