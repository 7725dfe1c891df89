/** How a cell that is not null is written in each form, by the kind of its column. */

import { DAY_MS } from '../../../kit/words/range.ts';
import type { ColumnKind } from '../columns.ts';

type Cell = {
  readonly json: (text: string) => string;
  readonly csv: (text: string) => string;
  readonly parquet: (text: string) => unknown;
};

/** Two and three digits of the numbers below 60 and 1,000. */
const TWO = Array.from({ length: 60 }, (_, value) => String(value).padStart(2, '0'));
const THREE = Array.from({ length: 1000 }, (_, value) => String(value).padStart(3, '0'));
let dayMs = Number.NaN;
let dayText = '';

/**
 * Times of exported rows, as Date writes them at three times the cost.
 * Epoch milliseconds of the text of a `time`.
 */
const timeMs = (text: string): number => Math.round(Number(text) * 1000);

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
    parquet: (text) => new Date(timeMs(text)),
  },
  integer: number,
  float: number,
  json: { json: same, csv: quoted, parquet: same },
  reasons: { json: same, csv: (text) => codesOf(text).join(' '), parquet: codesOf },
};

/** RFC 3339 of the text of a `time`. Rows come in the order of time, so that the day is nearly always that of the one before. */
export function timeText(text: string): string {
  const ms = timeMs(text);
  const inDay = ms - dayMs;
  if (!(inDay >= 0 && inDay < DAY_MS)) return isoOfOtherDay(ms);
  const seconds = Math.floor(inDay / 1000);
  const minutes = Math.floor(seconds / 60);
  return `${dayText}${TWO[Math.floor(minutes / 60)]}:${TWO[minutes % 60]}:${TWO[seconds % 60]}.${THREE[inDay % 1000]}Z`;
}

function isoOfOtherDay(ms: number): string {
  const iso = new Date(ms).toISOString();
  dayMs = Math.floor(ms / DAY_MS) * DAY_MS;
  dayText = iso.slice(0, -'00:00:00.000Z'.length);
  return iso;
}
