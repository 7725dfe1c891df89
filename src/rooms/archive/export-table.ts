/** Exports a table to files of an archive, and reads the files back. */
import type { Database } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Archive, Part, Table } from './archive-file.ts';
import type { FileStore } from './file-stores/file-store.ts';
import {
  type Cells,
  fromParquet,
  hashRow,
  sealFile,
  sha256,
  toParquet,
  unsealFile,
} from './part-file.ts';
import { readTable } from './table-rows.ts';

/** Bounds of a file, which is in memory several times while it is written. Larger: more memory; smaller: more files. */
const PART_CHARS = 32 * 1024 * 1024;
const PART_ROWS = 200_000;

export type Stored = {
  readonly store: Pick<FileStore, 'put' | 'get'>;
  /** Name that is authenticated with each file: the market, or the market and the month. */
  readonly archive: string;
  /** Null: the archive is not encrypted. */
  readonly key: Buffer | null;
};

/** Name that is authenticated with a file, so that the file cannot stand for another table, part or archive. */
const sealedName = ({ archive }: Pick<Stored, 'archive'>, file: string) => `${archive}/${file}`;

/** @param order columns that sort the rows, so that the same rows make the same files; empty: any order */
export async function exportTable(
  database: Pick<Database, 'session'>,
  stored: Stored,
  table: Pick<Table, 'name' | 'columns'>,
  order: readonly string[] = [],
): Promise<Table> {
  const { store, key } = stored;
  const { name, columns } = table;
  const names = columns.map((column) => column.name);
  const parts: Part[] = [];
  let rows: Cells[] = [];
  let chars = 0;
  const end = async () => {
    const file = `${name}.${parts.length + 1}.parquet${key === null ? '' : '.sealed'}`;
    const plain = await toParquet(names, rows);
    const bytes = key === null ? plain : sealFile(key, plain, sealedName(stored, file));
    await store.put(file, bytes);
    parts.push({ file, rows: rows.length, bytes: bytes.length, sha256: sha256(bytes) });
    rows = [];
    chars = 0;
  };
  const found = await readTable(database, table, order, async (more) => {
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

/** @throws Failure where the part cannot be read, or its bytes have changed */
export async function readPart(stored: Stored, part: Part): Promise<Cells[]> {
  const { store, key } = stored;
  const bytes = await store.get(part.file, part.bytes);
  if (sha256(bytes) !== part.sha256) throw wrong(`${part.file} was changed: its SHA-256 differs`);
  const plain = key === null ? bytes : unsealFile(key, bytes, sealedName(stored, part.file));
  return await fromParquet(plain);
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
