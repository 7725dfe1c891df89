/** A table into files of an archive, and back. */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Archive, Part, Table } from './archive-file.ts';
import {
  type Cells,
  fromParquet,
  hashRow,
  seal,
  sha256,
  toParquet,
  unseal,
  writeDurably,
} from './part-file.ts';
import { readTable } from './table-rows.ts';

/** A file is in memory as a whole, some times over, when it is written and read back. */
const PART_CHARS = 32 * 1024 * 1024;
const PART_ROWS = 200_000;

type Stored = {
  readonly folder: string;
  readonly market: string;
  /** Null: the archive is not encrypted. */
  readonly key: Buffer | null;
};

/** Name that is authenticated with a file, so that the file stands for no other table, part or market. */
const sealedName = ({ market }: Pick<Stored, 'market'>, file: string) => `${market}/${file}`;

export async function exportTable(
  database: Pick<Database, 'session'>,
  { folder, market, key }: Stored,
  table: Pick<Table, 'name' | 'columns'>,
): Promise<Table> {
  const { name, columns } = table;
  const names = columns.map((column) => column.name);
  const parts: Part[] = [];
  let rows: Cells[] = [];
  let chars = 0;
  const end = async () => {
    const file = `${name}.${parts.length + 1}.parquet${key === null ? '' : '.sealed'}`;
    const plain = await toParquet(names, rows);
    const bytes = key === null ? plain : seal(key, plain, sealedName({ market }, file));
    const path = join(folder, file);
    await writeDurably(`${path}.partial`, bytes);
    await rename(`${path}.partial`, path);
    parts.push({ file, rows: rows.length, bytes: bytes.length, sha256: sha256(bytes) });
    rows = [];
    chars = 0;
  };
  const found = await readTable(database, table, async (more) => {
    for (const row of more) {
      rows.push(row);
      chars += row.reduce((sum, cell) => sum + (cell?.length ?? 0), 0);
    }
    if (chars >= PART_CHARS || rows.length >= PART_ROWS) await end();
  });
  if (rows.length > 0 || parts.length === 0) await end();
  return { name, columns, ...found, parts };
}

/** Reads a table of an archive back. @throws Failure where a file is missing, was changed, or lacks a row */
export async function verifyTable(
  stored: Stored,
  { name, rows, content, parts }: Table,
): Promise<void> {
  let counted = 0;
  let sum = 0n;
  for (const part of parts) {
    const found = await readPart(stored, part);
    if (found.length !== part.rows) {
      throw wrong(`${part.file} has ${found.length} rows, not ${part.rows}`);
    }
    counted += found.length;
    for (const row of found) sum += hashRow(row);
  }
  if (counted !== rows)
    throw wrong(`${name} has ${counted} rows in the archive, and ${rows} in Postgres`);
  if (String(sum) !== content)
    throw wrong(`${name} has other rows in the archive than in Postgres`);
}

async function readPart(stored: Stored, part: Part): Promise<Cells[]> {
  const bytes = await readFile(join(stored.folder, part.file)).catch((error: Error) => {
    throw wrong(error.message);
  });
  if (sha256(bytes) !== part.sha256) throw wrong(`${part.file} was changed: its SHA-256 differs`);
  const name = sealedName(stored, part.file);
  return await fromParquet(stored.key === null ? bytes : unseal(stored.key, bytes, name));
}

const wrong = (why: string) => new Failure('invalid', 'ARCHIVE_WRONG', why);

/** Reads a whole archive back. @returns its rows */
export async function verifyArchive(
  stored: Stored,
  { tables }: Pick<Archive, 'tables'>,
  onTable: (table: Table) => void = () => undefined,
): Promise<number> {
  for (const table of tables) {
    await verifyTable(stored, table);
    onTable(table);
  }
  return tables.reduce((sum, { rows }) => sum + rows, 0);
}
