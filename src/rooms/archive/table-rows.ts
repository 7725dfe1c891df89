/** Tables of a market's schema: their names, their rows, and a hash over rows in any order. */
import type { Database, Query } from '../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../kit/database/statement.ts';
import type { Table } from './archive-file.ts';
import type { Cells } from './part-file.ts';

type Named = Pick<Table, 'name' | 'columns'>;

/** Tables with rows of their own: partitions, those of detached months included, in place of partitioned tables. */
export const listTables = rowsOf<Named, [market: string]>(
  'list-archived-tables',
  `select c.relname::text as name,
          (select jsonb_agg(jsonb_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod)) order by a.attnum)
             from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
     from pg_class c where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' order by c.relname`,
);

export const ownerOf = onlyOf<{ owner: string }, [table: string]>(
  'find-owner-of-table',
  `select pg_get_userbyid(relowner)::text as owner from pg_class where oid = to_regclass('market.' || $1)`,
);

export const listMigrations = rowsOf<{ name: string }>(
  'list-archived-migrations',
  'select name from market.schema_migrations order by name',
);

export const quoted = (name: string) => `"${name.replaceAll('"', '""')}"`;
export const tableOf = ({ name }: Named) => `market.${quoted(name)}`;

/** Counts and hashes rows; part-file.ts computes the same hash from the rows of an archive. */
export async function readContent(
  query: Query,
  table: Named,
): Promise<{ rows: number; content: string }> {
  const cells = table.columns.map(({ name }) => {
    const text = `${quoted(name)}::text`;
    return `case when ${quoted(name)} is null then '~' else octet_length(${text}) || ':' || ${text} end`;
  });
  const row = `('x' || substr(md5(concat(${cells.join(', ')})), 1, 16))::bit(64)::int8`;
  const text = `select count(*)::float8 as rows, coalesce(sum(${row}::numeric), 0)::text as content from ${tableOf(table)}`;
  const [found] = await query<{ rows: number; content: string }>({ text });
  if (found === undefined) throw new Error('an aggregate has answered no row');
  return found;
}

/** Rows of one fetch. Larger: more memory, as a row may have some megabytes; smaller: more round trips. */
const FETCH_ROWS = 100;

/**
 * Reads all rows of one snapshot as texts. @returns count and hash that Postgres computes in the same snapshot
 * @param order columns that sort the rows; empty: any order
 * @param onRows is awaited before the next fetch
 */
export async function readTable(
  database: Pick<Database, 'session'>,
  table: Named,
  order: readonly string[],
  onRows: (rows: readonly Cells[]) => Promise<void>,
): Promise<{ rows: number; content: string }> {
  const columns = table.columns.map(({ name }) => `${quoted(name)}::text`).join(', ');
  const sorted = order.length === 0 ? '' : ` order by ${order.map(quoted).join(', ')}`;
  return await database.session(async (client, begin, query) => {
    await begin('isolation level repeatable read read only');
    try {
      const content = await readContent(query, table);
      await query({
        text: `declare archived no scroll cursor for select ${columns} from ${tableOf(table)}${sorted}`,
      });
      for (;;) {
        const text = `fetch ${FETCH_ROWS} from archived`;
        const rows = await query<Cells>({ text, asTexts: true });
        if (rows.length === 0) return content;
        await onRows(rows);
      }
    } finally {
      await client.query('rollback').catch(() => undefined);
    }
  });
}

/** Locks tables against everybody, until the end of the database transaction. */
export async function lockTables(query: Query, tables: readonly Named[]): Promise<void> {
  await query({ text: `lock table ${tables.map(tableOf).join(', ')} in access exclusive mode` });
}

/** @param market checked by the configuration ([a-z][a-z0-9_]*), hence safe in SQL */
export async function dropSchema(query: Query, market: string): Promise<void> {
  await query({ text: `drop schema "${market}" cascade` });
}

export const hasSchema = onlyOf<{ has: boolean }, [market: string]>(
  'has-schema',
  'select to_regnamespace($1) is not null as has',
);
