/** Fills pages with the tables of measured parts. A part that was never measured leaves its page unchanged. */
import type { FigureFile } from './file.ts';
import type { Part } from './parts.ts';
import { drawPlot } from './plots.ts';
import type { Table } from './table.ts';

/** Tables of a page by name. */
export const tablesOf = ({ name, table, more = {} }: Part): Readonly<Record<string, Table>> =>
  table === undefined ? more : { [name]: table, ...more };

const line = (cells: readonly string[]) => `|${cells.join('|')}|`;

/** Prints a table whose first heading names day and commit. */
export function printTable({ columns, rows }: Table, file: FigureFile): string {
  const { part, measured_at, commit } = file;
  const [first, ...heads] = columns;
  const dated = `${first} ([${measured_at.slice(0, 10)}](figures/${part}.json), ${commit})`;
  const rule = `|${'---|'.repeat(columns.length)}`;
  return [line([dated, ...heads]), rule, ...rows(file).map(line)].join('\n');
}

/** @param text a page of docs/ */
export function fillPage(
  page: string,
  text: string,
  parts: readonly Part[],
  read: (part: string) => FigureFile | undefined,
): string {
  let filled = text;
  for (const part of parts) {
    const file = read(part.name);
    if (file === undefined) continue;
    for (const [name, table] of Object.entries(tablesOf(part))) {
      if (table.page !== page) continue;
      const place = new RegExp(`(<!--figures:${name}-->\n)[^]*?(<!--/figures-->)`);
      if (!place.test(filled)) throw new Error(`${page} has no place for the table '${name}'`);
      const isDrawn = name === part.name && drawPlot(file) !== undefined;
      const plot = isDrawn ? `\n\n![Plot of ${name}](plots/${name}.svg)` : '';
      const printed = `${printTable(table, file)}${plot}`;
      filled = filled.replace(place, (_, begin, end) => `${begin}\n${printed}\n\n${end}`);
    }
  }
  return filled;
}
