/**
 * Restores the tables of a cold month from its files. One database transaction makes, fills and compares the tables with the
 * manifest, so the month is cold or detached after a crash at any point. The attach follows.
 */
import { attachMonth } from '../../../core/store/partitions/detach-months.ts';
import {
  buildTable,
  lockPartitions,
  type PartitionedTable,
  partitionName,
} from '../../../core/store/partitions/partitions.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import { patiently } from '../../../kit/command/month-words.ts';
import { byCommand } from '../../../kit/command/stores.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Month } from '../../../kit/words/month.ts';
import type { Table } from '../archive-file.ts';
import { readPart, type Stored } from '../export-table.ts';
import type { Cells } from '../part-file.ts';
import { ownerOf, quoted, tableOf } from '../table-rows.ts';
import { type Archiving, isSame, KINDS } from './archive-month.ts';
import { countRows, storedOf } from './manifest.ts';
import { type ArchivedMonth, saveMonth } from './store.ts';

/** Rows of one statement, about a kilobyte each. Larger: more memory; smaller: more statements. */
const INSERT_ROWS = 2000;

const BY = byCommand('archive restore');

/** @returns the number of transactions without a score */
export async function restoreMonth(
  archiving: Archiving,
  archived: ArchivedMonth | undefined,
): Promise<number> {
  const { database, month, failpoint, signal, waitSeconds, note } = archiving;
  if (archived?.step === 'cold') {
    await makeTables(archiving, archived);
    failpoint('archive-restored');
    note(`${countRows(archived.manifest)} rows are restored, and equal those of the archive`);
  }
  return await patiently(waitSeconds, signal, () => attachMonth(database, month, BY));
}

async function makeTables(
  { database, key, month, openFileStore, failpoint, note }: Archiving,
  archived: ArchivedMonth,
): Promise<void> {
  const { manifest } = archived;
  const stored = storedOf(manifest, openFileStore(archived.location), key);
  await database.transaction(async (query) => {
    await lockPartitions(query);
    for (const kind of KINDS) {
      const table = manifest.tables.find(({ name }) => name === partitionName(kind, month));
      if (table === undefined) continue;
      await makeTable(query, stored, kind, month, table);
      note(`${table.name}: ${table.rows} rows`);
    }
    await saveMonth(query, { ...archived, step: 'ended' }, 'cold');
    await recordChange(query, BY, {
      action: 'month.restore',
      subject: manifest.month,
      before: { location: archived.location, number: manifest.number },
      after: { rows: countRows(manifest) },
    });
    failpoint('archive-restoring');
  });
}

/** Makes a table as the manifest has it; the attach adds indexes, and columns and checks of later migrations. */
async function makeTable(
  query: Query,
  stored: Stored,
  kind: PartitionedTable,
  month: Month,
  table: Table,
): Promise<void> {
  await buildTable(query, kind, month);
  for (const part of table.parts) {
    const rows = await readPart(stored, part);
    for (let at = 0; at < rows.length; at += INSERT_ROWS) {
      await insertRows(query, table, rows.slice(at, at + INSERT_ROWS));
    }
  }
  if (!(await isSame(query, table)))
    throw new Failure('invalid', 'ARCHIVE_WRONG', `${table.name} has other rows than its archive`);
  // The role that migrates makes the table, and the role of the market reads it.
  const { owner } = await ownerOf(query, kind);
  await query({ text: `alter table ${tableOf(table)} owner to ${quoted(owner)}` });
}

async function insertRows(query: Query, table: Table, rows: readonly Cells[]): Promise<void> {
  const { columns } = table;
  const names = columns.map(({ name }) => quoted(name)).join(', ');
  const typed = columns.map(({ name, type }) => `${quoted(name)}::${type}`).join(', ');
  const given = columns.map((_, at) => `$${at + 1}::text[]`).join(', ');
  const text = `insert into ${tableOf(table)} (${names}) select ${typed} from unnest(${given}) as u (${names})`;
  const values = columns.map((_, at) => rows.map((row) => row[at] ?? null));
  await query({ text }, values);
}
