/** Rows of an export as lines of JSON, each as the search answers it; the last line proves that the export is whole. */
import {
  EXPORT_COLUMNS,
  type ExportColumn,
  type ExportRow,
  SCORE_COLUMNS,
  TRANSACTION_COLUMNS,
} from '../columns.ts';
import { CELLS } from './cells.ts';

const indexIn = (columns: readonly ExportColumn[], name: string) =>
  columns.findIndex((column) => column.name === name);
const SCORES_AT = TRANSACTION_COLUMNS.length;
const SCORED_AT = SCORES_AT + indexIn(SCORE_COLUMNS, 'score');
const LABEL_AT = SCORES_AT + SCORE_COLUMNS.length;
/** A score repeats these of its transaction. */
const REPEATED = ['transaction_id', 'account_id', 'corridor', 'created_at'].map((name) =>
  indexIn(TRANSACTION_COLUMNS, name),
);
const KEYS = EXPORT_COLUMNS.map(({ name }) => `"${name}":`);
const WRITERS = EXPORT_COLUMNS.map(({ kind }) => CELLS[kind].json);

export function toJsonLines(rows: readonly ExportRow[]): Uint8Array {
  let text = '';
  for (const row of rows) text += toJsonLine(row);
  return Buffer.from(text);
}

export const lastJsonLine = (rows: number): Uint8Array =>
  Buffer.from(`${JSON.stringify({ done: true, rows })}\n`);

function toJsonLine(row: ExportRow): string {
  let text = '{';
  for (let at = 0; at < SCORES_AT; at++) text += `${KEYS[at]}${jsonOf(row, at)},`;
  return `${text}"score":${scoreJson(row)},"label":${jsonOf(row, LABEL_AT)}}\n`;
}

function scoreJson(row: ExportRow): string {
  if (row[SCORED_AT] === null) return 'null';
  let text = '{';
  for (const at of REPEATED) text += `${KEYS[at]}${jsonOf(row, at)},`;
  for (let at = SCORES_AT; at < LABEL_AT; at++) {
    text += `${at === SCORES_AT ? '' : ','}${KEYS[at]}${jsonOf(row, at)}`;
  }
  return `${text}}`;
}

function jsonOf(row: ExportRow, at: number): string {
  const cell = row[at] ?? null;
  return cell === null ? 'null' : (WRITERS[at]?.(cell) ?? '');
}
