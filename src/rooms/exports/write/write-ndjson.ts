/** Rows of an export as lines of JSON, each as the search answers it; the last line proves that the export is whole. */
import {
  EXPORT_COLUMNS,
  type ExportColumn,
  type ExportRow,
  SCORE_COLUMNS,
  TRANSACTION_COLUMNS,
} from '../store/export-columns.ts';
import { timeText } from './time-text.ts';

const placeOf = (columns: readonly ExportColumn[], name: string) =>
  columns.findIndex((column) => column.name === name);
const SCORES_AT = TRANSACTION_COLUMNS.length;
const SCORED_AT = SCORES_AT + placeOf(SCORE_COLUMNS, 'score');
const LABEL_AT = SCORES_AT + SCORE_COLUMNS.length;
/** A score repeats these of its transaction. */
const REPEATED = ['transaction_id', 'account_id', 'corridor', 'created_at'].map((name) =>
  placeOf(TRANSACTION_COLUMNS, name),
);
const KEYS = EXPORT_COLUMNS.map(({ name }) => `"${name}":`);
const KINDS = EXPORT_COLUMNS.map(({ kind }) => kind);

export function toJsonLines(rows: readonly ExportRow[]): Uint8Array {
  let text = '';
  for (const row of rows) text += toJsonLine(row);
  return Buffer.from(text);
}

export const lastJsonLine = (rows: number): Uint8Array =>
  Buffer.from(`${JSON.stringify({ done: true, rows })}\n`);

function toJsonLine(row: ExportRow): string {
  let text = '{';
  for (let at = 0; at < SCORES_AT; at++) text += `${KEYS[at]}${cellOf(row, at)},`;
  return `${text}"score":${scoreJson(row)},"label":${cellOf(row, LABEL_AT)}}\n`;
}

function scoreJson(row: ExportRow): string {
  if (row[SCORED_AT] === null) return 'null';
  let text = '{';
  for (const at of REPEATED) text += `${KEYS[at]}${cellOf(row, at)},`;
  for (let at = SCORES_AT; at < LABEL_AT; at++) {
    text += `${at === SCORES_AT ? '' : ','}${KEYS[at]}${cellOf(row, at)}`;
  }
  return `${text}}`;
}

/** Printable ASCII without quotes and backslashes: nothing to escape, which takes a third of the time of asking JSON. */
const SIMPLE = /^[ !#-[\]-~]*$/;

function cellOf(row: ExportRow, at: number): string {
  const text = row[at] ?? null;
  if (text === null) return 'null';
  switch (KINDS[at]) {
    case 'plain':
      return `"${text}"`;
    case 'text':
      return SIMPLE.test(text) ? `"${text}"` : JSON.stringify(text);
    case 'time':
      return `"${timeText(text)}"`;
    default:
      return text;
  }
}
