/** Puts the tables of an archived market back, but for its months. */
import type { Copy } from '../../kit/database/copy.ts';
import type { Query } from '../../kit/database/pool.ts';
import { onlyOf, rowsOf } from '../../kit/database/statement.ts';
import type { Table } from './archive-file.ts';
import { listTables, quoted, type Stored, tableOf } from './export-table.ts';
import { type Into, loadTable } from './load-table.ts';

/** Tables that are not restored: migrations or workers fill them, or their ids of database transactions mean nothing elsewhere. */
const LEFT_OUT: readonly string[] = [
  'schema_migrations',
  'unfinished_migrations',
  'idempotency_slices',
  'profile_snapshots',
  'snapshot_voids',
  'late_rows',
  'limit_processes',
  'tally_checkpoint',
  'tallied_merchants',
  'merchant_hours',
  'merchant_hour_parts',
];
const OF_SLICE = /^idempotency_keys_\d+$/;

type Column = {
  readonly table: string;
  readonly name: string;
  readonly is: 'computed' | 'counted';
};
const listSpecial = rowsOf<Column, [market: string]>(
  'list-computed-columns',
  `select c.relname::text as table, a.attname::text as name, case when a.attgenerated <> '' then 'computed' else 'counted' end as is
     from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = to_regnamespace($1) and c.relkind = 'r' and a.attnum > 0 and (a.attgenerated <> '' or a.attidentity <> '')`,
);
type Reference = { readonly table: string; readonly name: string; readonly definition: string };
const listReferences = rowsOf<Reference, [market: string]>(
  'list-references-to-restore',
  `select conrelid::regclass::text as table, conname::text as name, pg_get_constraintdef(oid) as definition
     from pg_constraint where contype = 'f' and connamespace = to_regnamespace($1) and conparentid = 0`,
);
const openSlice = onlyOf<{ slice: string }>(
  'find-open-slice',
  'select slice::text as slice from market.idempotency_slices where sealed_at is null',
);

/**
 * Loads tables in one database transaction, without triggers and references meanwhile: rows come as they were, in any order.
 * @param changeOf what is added to the rows of a table, or left out
 * @returns how many rows were inserted
 */
export async function loadTables(
  query: Query,
  copy: Copy,
  market: string,
  stored: Stored,
  tables: readonly Table[],
  note: (text: string) => void,
  changeOf: (table: Table) => Into['change'],
): Promise<number> {
  const known = new Set((await listTables(query, market)).map(({ name }) => name));
  const special = await listSpecial(query, market);
  const references = await listReferences(query, market);
  const { slice } = await openSlice(query);
  for (const { table, name } of references)
    await query({ text: `alter table ${table} drop constraint ${quoted(name)}` });
  let loaded = 0;
  for (const table of tables) {
    const { name, rows } = table;
    if (LEFT_OUT.includes(name)) continue;
    if (OF_SLICE.test(name)) {
      // The open slice takes all keys, whose retention begins anew: a key has one row in all slices.
      const columns = table.columns.filter((column) => column.name === 'slice');
      const change = { columns, cellsOf: () => [slice] };
      loaded += await loadTable(query, copy, stored, table, {
        name: 'idempotency_keys',
        without: ['slice'],
        change,
      });
    } else if (known.has(name)) {
      const ofTable = special.filter((column) => column.table === name);
      const computed = ofTable.filter(({ is }) => is === 'computed').map((column) => column.name);
      await query({ text: `alter table ${tableOf(table)} disable trigger user` });
      // A migration has made the first rows of some tables.
      await query({ text: `delete from ${tableOf(table)}` });
      const change = changeOf(table);
      loaded += await loadTable(query, copy, stored, table, {
        computed,
        ...(change && { change }),
      });
      await query({ text: `alter table ${tableOf(table)} enable trigger user` });
    } else if (rows > 0) {
      note(`${name} is a table that the market's release lacks, and is left out: ${rows} rows`);
    }
  }
  for (const { table, name, definition } of references)
    await query({ text: `alter table ${table} add constraint ${quoted(name)} ${definition}` });
  for (const { table, name } of special.filter(({ is }) => is === 'counted'))
    await countOn(query, table, name);
  return loaded;
}

/** Sets the next value of an identity column above those of its rows. */
async function countOn(query: Query, table: string, name: string): Promise<void> {
  const column = quoted(name);
  await query({
    text: `select setval(pg_get_serial_sequence('market.${table}', '${name}'), coalesce(max(${column}), 0) + 1, false) from ${tableOf({ name: table })}`,
  });
}
