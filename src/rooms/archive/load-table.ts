/** Puts rows of an archive back into a table. */
import type { Copy } from '../../kit/database/copy.ts';
import type { Query } from '../../kit/database/pool.ts';
import type { Table } from './archive-file.ts';
import {
  type Named,
  quoted,
  readContent,
  readRows,
  type Stored,
  tableOf,
  wrong,
} from './export-table.ts';
import { type Cells, hashRow } from './part-file.ts';

export type Into = {
  /** Absent: the table of the archive's name. */
  readonly name?: string;
  /** Columns that are not restored, as they say nothing in another database. */
  readonly without?: readonly string[];
  /** Columns that Postgres computes. */
  readonly computed?: readonly string[];
  /** Adds columns to the rows, by their names, and leaves rows out. */
  readonly change?: {
    readonly columns: Named['columns'];
    readonly cellsOf: (row: Cells) => Cells | undefined;
  };
};

/**
 * Writes the rows of a table, then compares the stored rows with those of the archive.
 * @returns how many rows were written @throws Failure where a file differs from its manifest, or a row from its archive
 */
export async function loadTable(
  query: Query,
  copy: Copy,
  stored: Stored,
  table: Table,
  { name = table.name, without = [], computed = [], change }: Into = {},
): Promise<number> {
  const columns = table.columns.filter((column) => !without.includes(column.name));
  const at = columns.map((column) => table.columns.indexOf(column));
  const all = { name, columns: [...columns, ...(change?.columns ?? [])] };
  const given = all.columns.flatMap((column, nth) => (computed.includes(column.name) ? [] : [nth]));
  const before = await readContent(query, all);
  const isWhole = without.length === 0 && change === undefined;
  let read = 0;
  let loaded = 0;
  // Rows that are loaded unchanged have the hash of their manifest.
  let sum = BigInt(before.content) + (isWhole ? BigInt(table.content) : 0n);
  const cellsOf = (row: Cells): Cells | undefined => {
    if (isWhole) return row;
    const added = change === undefined ? [] : change.cellsOf(row);
    const made = added && [...at.map((nth) => row[nth] ?? null), ...added];
    if (made !== undefined) sum += hashRow(made);
    return made;
  };
  async function* made(): AsyncGenerator<readonly Cells[]> {
    for await (const rows of readRows(stored, table)) {
      read += rows.length;
      const changed = rows.flatMap((row) => {
        const cells = cellsOf(row);
        if (cells === undefined) return [];
        return [computed.length === 0 ? cells : given.map((nth) => cells[nth] ?? null)];
      });
      loaded += changed.length;
      yield changed;
    }
  }
  const names = given.map((nth) => quoted(all.columns[nth]?.name ?? '')).join(', ');
  await copy.into(`copy ${tableOf({ name })} (${names}) from stdin`, made());
  const now = await readContent(query, all);
  const isStored = now.rows === before.rows + loaded && now.content === String(sum);
  if (isStored && read === table.rows) return loaded;
  throw wrong(`${table.name} has other rows than its archive`);
}
