/** How a cell that is not null is written in each form, by the kind of its column. */

import type { ColumnKind } from '../columns.ts';

type Cell = {
  readonly json: (text: string) => string;
  readonly csv: (text: string) => string;
  readonly parquet: (text: string) => unknown;
};

const timeOf = (text: string) => new Date(Math.round(Number(text) * 1000));
const timeText = (text: string) => timeOf(text).toISOString();

const same = (text: string) => text;
/** Printable ASCII without quotes and backslashes: nothing to escape, which takes a third of the time of asking JSON. */
const SIMPLE = /^[ !#-[\]-~]*$/;
/** An empty text is no null. */
const SPECIAL = /^$|[",\r\n]/;
const quoted = (text: string) => (SPECIAL.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
/** Texts that a spreadsheet takes for a formula, or that `'` in front keeps from being one. */
const FORMULA = /^[=+\-@\t\r\n']/;
const number: Cell = { json: same, csv: same, parquet: Number };

const codesOf = (reasons: string): string[] =>
  reasons === '[]' ? [] : (JSON.parse(reasons) as { code: string }[]).map(({ code }) => code);

export const CELLS: Readonly<Record<ColumnKind, Cell>> = {
  plain: { json: (text) => `"${text}"`, csv: same, parquet: same },
  text: {
    json: (text) => (SIMPLE.test(text) ? `"${text}"` : JSON.stringify(text)),
    csv: (text) => quoted(FORMULA.test(text) ? `'${text}` : text),
    parquet: same,
  },
  time: {
    json: (text) => `"${timeText(text)}"`,
    csv: timeText,
    parquet: timeOf,
  },
  integer: number,
  float: number,
  json: { json: same, csv: quoted, parquet: same },
  reasons: { json: same, csv: (text) => codesOf(text).join(' '), parquet: codesOf },
};
