/** Exports a table to files of an archive, and reads the files back. */
import type { Database, Query } from '../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../kit/database/statement.ts';
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

/** Bounds of a file, which is in memory several times while it is written. Larger: more memory; smaller: more files. */
const PART_CHARS = 32 * 1024 * 1024;
const PART_ROWS = 200_000;

export type Stored = {
  readonly store: Pick<FileStore, 'put' | 'replace' | 'get'>;
  /** Whether a file may be written again, as by a rollback that goes on. */
  readonly isReplaced?: boolean;
  /** Name that is authenticated with each file: the market, or the market and the month. */
  readonly archive: string;
  /** Null: the archive is not encrypted. */
  readonly key: Buffer | null;
};

export type Named = Pick<Table, 'name' | 'columns'>;

const listWhole = rowsOf<Named, [market: string]>(
  'list-archived-tables',
  `select c.relname::text as name,
          (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
             from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
     from pg_class c
    where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and c.relpersistence = 'p'
    order by c.relname`,
);

export const SUBJECTS = 'subjects';
/** The token and the key columns of subjects, which are stored apart from the archive so that keys can be deleted. */
export const SUBJECT_KEYS: Named = {
  name: SUBJECTS,
  columns: [
    { name: 'token', type: 'text' },
    { name: 'lookup', type: 'uuid' },
    { name: 'subject_key', type: 'bytea' },
  ],
};
const APART = SUBJECT_KEYS.columns.map(({ name }) => name).filter((name) => name !== 'token');

/**
 * Tables with rows of their own: partitions, those of detached months included, in place of partitioned tables. Subjects come
 * without their keys. Unlogged tables are left out: they are caches, and `limit_processes`, which APIs write, would end a rollback.
 */
export async function listTables(query: Query, market: string): Promise<Named[]> {
  const isHere = (name: string, column: string) => name !== SUBJECTS || !APART.includes(column);
  return (await listWhole(query, market)).map(({ name, columns }) => ({
    name,
    columns: columns.filter((column) => isHere(name, column.name)),
  }));
}

export const ownerOf = onlyOf<{ owner: string }, [table: string]>(
  'find-owner-of-table',
  `select pg_get_userbyid(relowner)::text as owner from pg_class where oid = to_regclass('market.' || $1)`,
);

export const listMigrations = rowsOf<{ name: string }>(
  'list-archived-migrations',
  'select name from market.schema_migrations order by name',
);

/** Name that is authenticated with a file, so that the file cannot stand for another table, part or archive. */
const sealedName = ({ archive }: Pick<Stored, 'archive'>, file: string) => `${archive}/${file}`;

/**
 * Writes the rows of a table to files. A table without rows has no file, as each file waits for the disk that commits wait for.
 * @param order columns that sort the rows, so that the same rows make the same files; empty: any order
 */
export async function exportTable(
  database: Pick<Database, 'session'>,
  stored: Stored,
  table: Named,
  order: readonly string[] = [],
): Promise<Table> {
  const { name, columns } = table;
  const parts: Part[] = [];
  let rows: Cells[] = [];
  let chars = 0;
  const end = async () => {
    parts.push(await writePart(stored, table, parts.length + 1, rows));
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
  if (rows.length > 0) await end();
  return { name, columns, ...found, parts };
}

/** @param nth number of the file among those of the table */
export async function writePart(
  stored: Stored,
  { name, columns }: Named,
  nth: number,
  rows: readonly Cells[],
): Promise<Part> {
  const { store, key, isReplaced = false } = stored;
  const file = `${name}.${nth}.parquet${key === null ? '' : '.sealed'}`;
  const names = columns.map((column) => column.name);
  const plain = await toParquet(names, rows);
  const bytes = key === null ? plain : sealFile(key, plain, sealedName(stored, file));
  await (isReplaced ? store.replace : store.put)(file, bytes);
  return { file, rows: rows.length, bytes: bytes.length, sha256: sha256(bytes) };
}

/** Reads a table of an archive, a file at a time. @throws Failure where a file is missing, was changed, or lacks a row */
export async function* readRows(
  stored: Stored,
  { parts }: Pick<Table, 'parts'>,
): AsyncGenerator<readonly Cells[]> {
  for (const part of parts) {
    const found = await readPart(stored, part);
    if (found.length !== part.rows) {
      throw wrong(`${part.file} has ${found.length} rows, not ${part.rows}`);
    }
    yield found;
  }
}

/** Reads a table back, and compares its rows with those that Postgres had. @throws Failure where they differ */
async function verifyTable(stored: Stored, table: Table): Promise<void> {
  const { name, rows, content } = table;
  let counted = 0;
  let sum = 0n;
  for await (const found of readRows(stored, table)) {
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

export const wrong = (why: string) => new Failure('invalid', 'ARCHIVE_WRONG', why);

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

/** Tables of a market's schema: their names, their rows, and a hash over rows in any order. */
export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
export const tableOf = ({ name }: Pick<Named, 'name'>) => `market.${quoted(name)}`;

/** Counts and hashes rows; part-file.ts computes the same hash from the rows of an archive. */
export async function readContent(
  query: Query,
  table: Named,
): Promise<{ rows: number; content: string }> {
  const cells = table.columns.map(({ name }) => {
    const text = `${quoted(name)}::text`;
    return `coalesce(octet_length(${text}) || ':' || ${text}, '~')`;
  });
  // The hash is most of a rollback's time: `concat` would take a fifth longer than `||`.
  const row = `('x' || left(md5(${cells.join(' || ')}), 16))::bit(64)::int8`;
  const text = `select count(*)::float8 as rows, coalesce(sum(${row}::numeric), 0)::text as content from ${tableOf(table)}`;
  const [found] = await query<{ rows: number; content: string }>({ text });
  if (found === undefined) throw new Error('an aggregate has answered no row');
  return found;
}

export async function countRows(query: Query, name: string): Promise<number> {
  const text = `select count(*)::float8 as rows from market.${quoted(name)}`;
  return (await query<{ rows: number }>({ text }))[0]?.rows ?? 0;
}

/**
 * Reads all rows of one snapshot as texts. @returns count and hash that Postgres computes in the same snapshot
 * @param order columns that sort the rows; empty: any order
 * @param onRows is awaited before the next rows are read
 */
async function readTable(
  database: Pick<Database, 'session'>,
  table: Named,
  order: readonly string[],
  onRows: (rows: readonly Cells[]) => Promise<void>,
): Promise<{ rows: number; content: string }> {
  const columns = table.columns.map(({ name }) => `${quoted(name)}::text`).join(', ');
  const sorted = order.length === 0 ? '' : ` order by ${order.map(quoted).join(', ')}`;
  return await database.session(async (client, begin, query, copy) => {
    await begin('isolation level repeatable read read only');
    try {
      const content = await readContent(query, table);
      const rows = copy.out(`copy (select ${columns} from ${tableOf(table)}${sorted}) to stdout`);
      for await (const some of rows) await onRows(some);
      return content;
    } finally {
      await client.query('rollback').catch(() => undefined);
    }
  });
}
