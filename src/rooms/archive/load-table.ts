/** Puts rows of an archive back into a table. */
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

/** Rows of one statement, about a kilobyte each. Larger: more memory; smaller: more statements. */
const INSERT_ROWS = 2000;

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
 * Inserts the rows of a table, then compares the stored rows with those of the archive.
 * @returns how many rows were inserted @throws Failure where a file differs from its manifest, or a row from its archive
 */
export async function loadTable(
  query: Query,
  stored: Stored,
  table: Table,
  { name = table.name, without = [], computed = [], change }: Into = {},
): Promise<number> {
  const columns = table.columns.filter((column) => !without.includes(column.name));
  const at = columns.map((column) => table.columns.indexOf(column));
  const all = { name, columns: [...columns, ...(change?.columns ?? [])] };
  const before = await readContent(query, all);
  let loaded = 0;
  let sum = BigInt(before.content);
  for await (const rows of readRows(stored, table)) {
    const made = rows.flatMap((row) => {
      const added = change === undefined ? [] : change.cellsOf(row);
      return added === undefined ? [] : [[...at.map((nth) => row[nth] ?? null), ...added]];
    });
    for (const row of made) sum += hashRow(row);
    loaded += made.length;
    for (let from = 0; from < made.length; from += INSERT_ROWS)
      await insertRows(query, all, made.slice(from, from + INSERT_ROWS), computed);
  }
  const now = await readContent(query, all);
  if (now.rows === before.rows + loaded && now.content === String(sum)) return loaded;
  throw wrong(`${table.name} has other rows than its archive`);
}

async function insertRows(
  query: Query,
  { name, columns }: Named,
  rows: readonly Cells[],
  computed: readonly string[],
): Promise<void> {
  const given = columns
    .map((column, at) => ({ ...column, at }))
    .filter((column) => !computed.includes(column.name));
  const names = given.map((column) => quoted(column.name)).join(', ');
  const typed = given.map((column) => `${quoted(column.name)}::${column.type}`).join(', ');
  const lists = given.map((_, nth) => `$${nth + 1}::text[]`).join(', ');
  const text = `insert into ${tableOf({ name })} (${names}) overriding system value select ${typed} from unnest(${lists}) as u (${names})`;
  await query(
    { text },
    given.map(({ at }) => rows.map((row) => row[at] ?? null)),
  );
}
