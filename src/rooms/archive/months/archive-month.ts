/**
 * Makes a month cold, step by step: detach, export, read back, seal, drop. After a crash at any point the month is detached, or
 * its row of market.archived_months names the step, which `--continue` repeats with the same result.
 */

import {
  detachMonth,
  dropDetached,
  recordDetach,
} from '../../../core/store/partitions/detach-months.ts';
import { partitionName } from '../../../core/store/partitions/partitions.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import { patiently } from '../../../kit/command/options.ts';
import { byCommand } from '../../../kit/command/stores.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import type { Failpoint } from '../../../kit/process/failpoint.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { keysOf } from '../../../kit/words/keys-of.ts';
import { type Month, monthText } from '../../../kit/words/month.ts';
import { ARCHIVE_FILE, countRows, filesOf, type Table, yearsFromNow } from '../archive-file.ts';
import { lockTables } from '../drop-tables.ts';
import {
  exportTable,
  listMigrations,
  listTables,
  readContent,
  verifyArchive,
} from '../export-table.ts';
import type { FileStore } from '../file-stores/file-store.ts';
import { sha256 } from '../part-file.ts';
import { type Manifest, manifestBytes, storedOf } from './manifest.ts';
import {
  type ArchivedMonth,
  insertMonth,
  type MonthStep,
  nextNumber,
  readCheckpoint,
  saveMonth,
} from './store.ts';

export type Archiving = {
  readonly market: string;
  readonly month: Month;
  readonly key: Buffer | null;
  readonly database: Database;
  readonly openFileStore: (name: string) => FileStore;
  readonly waitSeconds: number;
  /** Whether the rows are dropped once the files are sealed. */
  readonly isDropped: boolean;
  readonly failpoint: Failpoint;
  readonly signal: AbortSignal;
  readonly note: (text: string) => void;
};

/** Tables of a month with the columns that sort their rows. */
const ORDERS = {
  transactions: ['transaction_id'],
  scores: ['transaction_id'],
  labels: ['transaction_id', 'labelled_at', 'label', 'source'],
} as const;
export const KINDS = keysOf(ORDERS);

const BY = byCommand('archive month');

/** Detaches the month where it is attached. @throws Failure where the market has no such month */
export async function detach({ database, month, waitSeconds, signal, failpoint }: Archiving) {
  await recordDetach(database, month, BY);
  await patiently(waitSeconds, signal, () => detachMonth(database, month));
  failpoint('archive-month-detach');
}

/** @param to folder or bucket, in which the archive gets a folder of its own */
export async function beginMonth(
  { database, market, month: number, key }: Archiving,
  to: string,
  lockYears: number,
): Promise<ArchivedMonth> {
  const month = monthText(number);
  const { number: nth } = await nextNumber(database.query, month);
  const migrations = await listMigrations(database.query);
  const begun: ArchivedMonth = {
    step: 'export',
    location: `${to}/${market}/${month}/${nth}`,
    manifest: {
      format: 1,
      market,
      month,
      number: nth,
      encryption: key === null ? 'none' : 'aes-256-gcm',
      begun_at: new Date().toISOString(),
      lock_until: yearsFromNow(lockYears).toISOString(),
      migrations: migrations.map(({ name }) => name),
      evidence: null,
      tables: [],
    },
  };
  await insertMonth(database.query, begun);
  return begun;
}

type Work = (
  archiving: Archiving,
  archived: ArchivedMonth,
  store: FileStore,
) => Promise<ArchivedMonth>;

/** Runs the remaining steps, and saves each step that ended. @returns before `drop` where the rows are not to be dropped */
export async function archiveMonth(
  archiving: Archiving,
  begun: ArchivedMonth,
): Promise<ArchivedMonth> {
  const { database, failpoint, signal, note, isDropped } = archiving;
  const store = archiving.openFileStore(begun.location);
  let archived = begun;
  while (archived.step !== 'cold' && archived.step !== 'ended') {
    const { step } = archived;
    if (step === 'drop' && !isDropped) return archived;
    if (signal.aborted)
      throw new Failure('conflict', 'STOPPED', 'stopped: --continue goes on here');
    note(step);
    archived = await WORK[step](archiving, archived, store);
    failpoint(`archive-month-${step}`);
    // The commit of the drop has saved its step.
    if (step !== 'drop') await saveMonth(database.query, archived, step);
  }
  return archived;
}

const WORK: Readonly<Record<Exclude<MonthStep, 'cold' | 'ended'>, Work>> = {
  export: async ({ database, market, month, key, failpoint, signal, note }, begun, store) => {
    let archived = begun;
    const found = await listTables(database.query, market);
    for (const kind of KINDS) {
      const name = partitionName(kind, month);
      const table = found.find((table) => table.name === name);
      if (table === undefined || archived.manifest.tables.some((table) => table.name === name))
        continue;
      if (signal.aborted) break;
      const made = await exportTable(
        database,
        storedOf(begun.manifest, store, key),
        table,
        ORDERS[kind],
      );
      failpoint(`archive-table-${kind}`);
      const tables = [...archived.manifest.tables, made];
      archived = { ...archived, manifest: { ...archived.manifest, tables } };
      await saveMonth(database.query, archived, 'export');
      note(`${made.name}: ${made.rows} rows`);
    }
    return signal.aborted ? archived : { ...archived, step: 'verify' };
  },
  verify: async ({ database, key, note }, archived, store) => {
    const rows = await verifyArchive(storedOf(archived.manifest, store, key), archived.manifest);
    note(`${rows} rows were read back`);
    // Saved before the manifest becomes a file, which is written once.
    const log = await readCheckpoint(database.query);
    const manifest = { ...archived.manifest, evidence: log?.checkpoint ?? null };
    return { ...archived, manifest, step: 'seal' };
  },
  seal: async ({ note }, archived, store) => {
    const { manifest } = archived;
    await store.put(ARCHIVE_FILE, manifestBytes(manifest));
    const why = await store.seal(
      [...filesOf(manifest.tables), ARCHIVE_FILE],
      new Date(manifest.lock_until),
    );
    note(why === null ? 'the files are immutable' : `the files are not immutable: ${why}`);
    return { ...archived, step: 'drop' };
  },
  drop: async ({ database, month, failpoint }, archived) => {
    const cold: ArchivedMonth = { ...archived, step: 'cold' };
    await database.transaction(async (query) => {
      await requireUnchanged(query, archived.manifest);
      const state = await dropDetached(query, month);
      await saveMonth(query, cold, 'drop');
      await recordArchive(query, cold, state);
      failpoint('archive-month-dropping');
    });
    return cold;
  },
};

/** Locks the tables, and compares their rows with the manifest. @throws Failure where rows changed after the export */
async function requireUnchanged(query: Query, { tables, month }: Manifest): Promise<void> {
  await lockTables(query, tables);
  for (const table of tables) {
    if (await isSame(query, table)) continue;
    const why = `${table.name} changed after its export: risk archive month ${month} --to … --anew archives the month again`;
    throw new Failure('conflict', 'CHANGED', why);
  }
}

async function isSame(query: Query, table: Table): Promise<boolean> {
  const { rows, content } = await readContent(query, table);
  return rows === table.rows && content === table.content;
}

async function recordArchive(query: Query, { manifest, location }: ArchivedMonth, state: object) {
  await recordChange(query, BY, {
    action: 'month.archive',
    subject: manifest.month,
    before: state,
    after: {
      location,
      number: manifest.number,
      rows: countRows(manifest.tables),
      manifest_sha256: sha256(manifestBytes(manifest)),
    },
  });
}

/** Ends an archive that is not cold, so that the next archive has files of its own. */
export async function endUnfinished({ query }: Database, archived: ArchivedMonth): Promise<void> {
  if (archived.step === 'cold') {
    const why = `${archived.manifest.month} is cold: its rows are in these files alone`;
    throw new Failure('conflict', 'MONTH_COLD', why);
  }
  await saveMonth(query, { ...archived, step: 'ended' }, archived.step);
}
