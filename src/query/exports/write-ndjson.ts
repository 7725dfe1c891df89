/** Rows of an export as lines of JSON, each as the search answers it; the last line proves that the export is whole. */
import {
  type ColumnKind,
  type ExportColumn,
  type ExportRow,
  SCORE_COLUMNS,
  TRANSACTION_COLUMNS,
  timeMs,
} from '../../store/exports/export-columns.ts';

const placeOf = (columns: readonly ExportColumn[], name: string) =>
  columns.findIndex((column) => column.name === name);
const SCORES_AT = TRANSACTION_COLUMNS.length;
const SCORED_AT = SCORES_AT + placeOf(SCORE_COLUMNS, 'score');
const LABEL_AT = SCORES_AT + SCORE_COLUMNS.length;
/** A score repeats these of its transaction. */
const REPEATED = ['transaction_id', 'account_id', 'corridor', 'created_at'].map((name) =>
  placeOf(TRANSACTION_COLUMNS, name),
);
const keyOf = ({ name }: ExportColumn) => `"${name}":`;
const KEYS = TRANSACTION_COLUMNS.map(keyOf);
const SCORE_KEYS = SCORE_COLUMNS.map(keyOf);

export function toJsonLines(rows: readonly ExportRow[]): Uint8Array {
  let text = '';
  for (const row of rows) text += toJsonLine(row);
  return Buffer.from(text);
}

export const lastJsonLine = (rows: number): Uint8Array =>
  Buffer.from(`${JSON.stringify({ done: true, rows })}\n`);

function toJsonLine(row: ExportRow): string {
  const cells = TRANSACTION_COLUMNS.map(({ kind }, at) => toJson(kind, row[at] ?? null));
  let text = '{';
  for (const [at, cell] of cells.entries()) text += `${KEYS[at]}${cell},`;
  const label = toJson('plain', row[LABEL_AT] ?? null);
  return `${text}"score":${scoreJson(row, cells)},"label":${label}}\n`;
}

function scoreJson(row: ExportRow, cells: readonly string[]): string {
  if (row[SCORED_AT] === null) return 'null';
  let text = '{';
  for (const at of REPEATED) text += `${KEYS[at]}${cells[at]},`;
  for (const [at, { kind }] of SCORE_COLUMNS.entries()) {
    text += `${at === 0 ? '' : ','}${SCORE_KEYS[at]}${toJson(kind, row[SCORES_AT + at] ?? null)}`;
  }
  return `${text}}`;
}

function toJson(kind: ColumnKind, text: string | null): string {
  if (text === null) return 'null';
  switch (kind) {
    case 'plain':
      return `"${text}"`;
    case 'text':
      return JSON.stringify(text);
    case 'time':
      return `"${new Date(timeMs(text)).toISOString()}"`;
    case 'integer':
    case 'float':
    case 'json':
      return text;
  }
}
