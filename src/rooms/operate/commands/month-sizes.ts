/** The months of a market with their sizes, for people. */

import {
  isCold,
  isDetached,
  listMonthTables,
  type MonthTables,
  partitionName,
} from '../../../core/store/partitions/partitions.ts';
import type { Database, Statement } from '../../../kit/database/pool.ts';

const sizesStatement: Statement = {
  name: 'list-month-sizes',
  text: `select c.relname as name, greatest(c.reltuples, 0)::float8 as rows, pg_total_relation_size(c.oid)::float8 as bytes
           from pg_class c
          where c.oid = any (select to_regclass('market.' || name)::oid from unnest($1::text[]) as u (name))`,
};

/** All months, the oldest first. */
export async function listMonthSizes({ query }: Pick<Database, 'query'>) {
  const months = [...(await listMonthTables(query))].sort(([left], [right]) => left - right);
  const names = months.flatMap(([month, tables]) =>
    [...tables.keys()].map((table) => partitionName(table, month)),
  );
  const sizes = await query<{ name: string; rows: number; bytes: number }>(sizesStatement, [names]);
  const byName = new Map(sizes.map((size) => [size.name, size]));
  return months.map(([month, tables]) => {
    const ours = [...tables.keys()].map((table) => byName.get(partitionName(table, month)));
    return {
      month,
      state: stateOf(tables),
      /** The row count of the last analyze. */
      transactions: byName.get(partitionName('transactions', month))?.rows ?? 0,
      bytes: ours.reduce((sum, size) => sum + (size?.bytes ?? 0), 0),
    };
  });
}

/** `part`: the command was interrupted and has to be repeated. */
function stateOf(tables: MonthTables): 'attached' | 'detached' | 'part' | 'cold' {
  if (isCold(tables)) return 'cold';
  if (!isDetached(tables)) return 'attached';
  return [...tables.values()].every((state) => state === 'detached') ? 'detached' : 'part';
}
