/**
 * Drops a market whose tables are archived, some months at a time, as one database transaction would lock every table and index of all.
 * What is dropped is compared behind locks first, so an end at any point loses no row.
 */
import { refuseOnHold } from '../../core/store/partitions/legal-holds.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import type { Failpoint } from '../../kit/process/failpoint.ts';
import { requireApproved, requireFreeze } from './approval.ts';
import type { Archive } from './archive-file.ts';
import { dropSchema, dropTables, lockTables, OF_MONTH, TABLES_AT_ONCE } from './drop-tables.ts';
import { countRows, listTables, type Named, readContent, SUBJECTS } from './export-table.ts';

export type Dropping = {
  readonly database: Database;
  readonly market: string;
  readonly failpoint: Failpoint;
};

/** Drops the tables of months, and then the schema, as long as none has changed. @returns changed tables */
export async function dropUnchanged(dropping: Dropping, archive: Archive): Promise<string[]> {
  const { query } = dropping.database;
  const tables = await listTables(query, dropping.market);
  const months = tables.filter(({ name }) => OF_MONTH.test(name));
  // A market that is in use shows it here, before anything is dropped.
  const others = tables.filter((table) => !months.includes(table));
  let changed = await grownAmong(query, archive, others);
  while (changed.length === 0 && months.length > 0)
    changed = await dropSame(dropping, archive, months.splice(0, TABLES_AT_ONCE));
  return changed.length > 0 ? changed : await dropSame(dropping, archive);
}

/**
 * Compares the rows with the archive behind locks, and drops the tables where none changed. @returns changed tables
 * @param some absent: all, and the schema
 */
async function dropSame(dropping: Dropping, archive: Archive, some?: Named[]): Promise<string[]> {
  const { database, market, failpoint } = dropping;
  return await database.transaction(async (query) => {
    // A table is dropped with a lock of its parent, which sessions that read or write lock first.
    const parents = ['transactions', 'scores', 'labels'].map((name) => `only market.${name}`);
    await query({ text: `lock table ${parents.join(', ')} in access exclusive mode` });
    const now = some ?? (await listTables(query, market));
    await lockTables(query, now);
    await requireFreeze(query, market);
    await requireApproved(query, market);
    await refuseOnHold(query, { kind: 'market' });
    const changed = await changedAmong(query, archive, now);
    if (changed.length > 0) return changed;
    await (some === undefined ? dropSchema(query, market) : dropTables(query, some));
    failpoint('archive-dropping');
    return [];
  });
}

/** Only counts rows, as the comparison behind the locks hashes each row: hashing twice took half of a rollback's time. */
async function grownAmong(query: Query, archive: Archive, now: readonly Named[]) {
  const grown: string[] = [];
  for (const { name } of now) {
    const rows = await countRows(query, name);
    if (archive.tables.find((table) => table.name === name)?.rows !== rows) grown.push(name);
  }
  return grown;
}

async function changedAmong(query: Query, archive: Archive, now: readonly Named[]) {
  const changed: string[] = [];
  for (const table of now) {
    const known = archive.tables.find(({ name }) => name === table.name);
    const { rows, content } = await readContent(query, table);
    // A process that still runs makes a dropped month anew, without rows, as the market is frozen.
    if (rows === 0 && OF_MONTH.test(table.name)) continue;
    const isSame = known?.rows === rows && known.content === content;
    if (!isSame || !(await hasSameKeys(query, archive, table))) changed.push(table.name);
  }
  return changed;
}

/** Compares the columns of subjects that stand apart from the archive. */
async function hasSameKeys(query: Query, { subject_keys: keys }: Archive, { name }: Named) {
  if (name !== SUBJECTS || keys === undefined) return true;
  const { rows, content } = await readContent(query, { name, columns: keys.columns });
  return rows === keys.rows && content === keys.content;
}
