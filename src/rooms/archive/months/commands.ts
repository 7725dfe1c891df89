/** `risk archive month`, `restore` and `list`, which work on the database without an API. */
import { resolve } from 'node:path';
import { attachMonth, LOCK_WAIT_MS } from '../../../core/store/partitions/detach-months.ts';
import {
  buildTable,
  lockPartitions,
  type PartitionedTable,
  partitionName,
  requireMonth,
} from '../../../core/store/partitions/partitions.ts';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import { type CommandContext, UsageError } from '../../../kit/command/command.ts';
import { monthOption, patiently, WAIT_OPTION } from '../../../kit/command/options.ts';
import { written } from '../../../kit/command/rows.ts';
import { byCommand } from '../../../kit/command/stores.ts';
import type { Copy } from '../../../kit/database/copy.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../../../kit/process/failpoint.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type Month, monthText } from '../../../kit/words/month.ts';
import { countRows, type Table } from '../archive-file.ts';
import { ownerOf, quoted, type Stored, tableOf } from '../export-table.ts';
import { LOCK_OPTION, openFileStore } from '../file-stores/open-file-store.ts';
import { loadTable } from '../load-table.ts';
import { openArchiveDatabase } from '../open-database.ts';
import { KEY_OPTIONS, keyOption } from '../part-file.ts';
import {
  type Archiving,
  archiveMonth,
  beginMonth,
  detach,
  endUnfinished,
  KINDS,
} from './archive-month.ts';
import { type Manifest, storedOf } from './manifest.ts';
import { type ArchivedMonth, findOpen, listArchived, saveMonth } from './store.ts';

const BY = byCommand('archive restore');

const MONTH_OPTIONS = {
  '--to PLACE': 'Folder, or s3://BUCKET/PREFIX; needed to begin an archive',
  ...KEY_OPTIONS,
  '--unencrypted': 'Do without a key',
  ...LOCK_OPTION,
  '--drop': 'Drop the rows once the files are verified and two people have agreed (request-drop)',
  '--continue': 'Go on with the archive that was begun',
  '--anew': 'Leave the archive that was begun, and begin another one',
  ...WAIT_OPTION,
} as const;
const RESTORE_OPTIONS = { ...KEY_OPTIONS, ...WAIT_OPTION } as const;

type Given = {
  readonly key: Buffer | null;
  readonly month: Month;
  readonly waitSeconds: number;
};

async function open(
  context: CommandContext,
  { key, month, waitSeconds }: Given,
  isDropped: boolean,
): Promise<Archiving & AsyncDisposable> {
  const { config, environment, output, signal } = context;
  const database = openArchiveDatabase(config, config.RISK_MARKET, LOCK_WAIT_MS);
  return {
    market: config.RISK_MARKET,
    month,
    key,
    database,
    isDropped,
    openFileStore: (name) => openFileStore(name, config),
    waitSeconds,
    failpoint: createFailpoint(environment[FAILPOINT_VARIABLE]),
    signal,
    note: output.note,
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

const COLD = 'Make a month cold: write its rows to files, verify the files, and drop its tables';
const month = written('MONTH', COLD, MONTH_OPTIONS, async ({ values, words }, context) => {
  const month = monthOption('the month', words[0]);
  const text = monthText(month);
  const key = await keyOption(values.key, values.unencrypted);
  const { 'lock-years': lockYears, 'wait-seconds': waitSeconds } = values;
  await using archiving = await open(context, { key, month, waitSeconds }, values.drop);
  await requireMonth(archiving.database.query, month);
  const found = await openBegun(archiving, text, values);
  const to = found === undefined ? locationOf(values.to, context) : found.location;
  if (found?.step !== 'cold') await detach(archiving);
  const begun = found ?? (await beginMonth(archiving, to, lockYears));
  const archived = await archiveMonth(archiving, begun);
  say(context, archived);
});

type Values = { readonly continue: boolean; readonly anew: boolean };

/** The archive to continue; undefined where a new archive begins. @throws Failure where the options want neither */
async function openBegun(
  { database, key }: Archiving,
  text: string,
  { continue: isContinued, anew }: Values,
): Promise<ArchivedMonth | undefined> {
  const found = await findOpen(database.query, text);
  if (found === undefined) return undefined;
  if (anew) {
    await endUnfinished(database, found);
    return undefined;
  }
  if (!isContinued && found.step !== 'cold') {
    const why = `an archive of ${text} ended before its step ${found.step}: give --continue, or --anew`;
    throw new Failure('conflict', 'BEGUN', why);
  }
  requireEncryption(found.manifest, key);
  return found;
}

/** @throws UsageError where a key is given for an archive without encryption, or none for an encrypted archive */
export function requireEncryption(
  { encryption }: Pick<Manifest, 'encryption'>,
  key: Buffer | null,
): void {
  if ((encryption === 'none') === (key === null)) return;
  throw new UsageError(`the archive was begun with the encryption ${encryption}`);
}

/** @throws UsageError or Failure where the location is missing or malformed */
function locationOf(to: string | undefined, { config }: CommandContext): string {
  if (to === undefined) throw new UsageError('--to is missing');
  return openFileStore(to.startsWith('s3:') ? to : resolve(to), config).name;
}

function say({ output }: CommandContext, { step, location, manifest }: ArchivedMonth): void {
  const { month, tables } = manifest;
  const rows = countRows(manifest.tables);
  const bytes = tables.flatMap(({ parts }) => parts).reduce((sum, part) => sum + part.bytes, 0);
  const isDropped = step === 'cold';
  const end = isDropped
    ? 'is cold'
    : `is archived, and its tables remain: give --continue --drop to drop them`;
  output.value({ month, location, rows, bytes, cold: isDropped }, [
    `${month} ${end}: location=${location} rows=${rows} bytes=${bytes}`,
  ]);
}

const RESTORES = 'Restore the tables of a cold month from its files, and attach them';
const restore = written('MONTH', RESTORES, RESTORE_OPTIONS, async ({ values, words }, context) => {
  const month = monthOption('the month', words[0]);
  const text = monthText(month);
  const key = values.key === undefined ? null : await keyOption(values.key, false);
  const waitSeconds = values['wait-seconds'];
  await using archiving = await open(context, { key, month, waitSeconds }, false);
  const { database } = archiving;
  await requireMonth(database.query, month);
  const found = await findOpen(database.query, text);
  if (found?.step === 'cold') requireEncryption(found.manifest, key);
  const toBeScored = await restoreMonth(archiving, found);
  context.output.value({ month: text, to_be_scored: toBeScored }, [
    `${text} is attached; the reconciler of a worker appends its transactions without a score: ${toBeScored}`,
  ]);
});

const LISTS = 'List archives of months with their steps';
const list = written('', LISTS, {}, async (_given, context) => {
  await using database = openArchiveDatabase(context.config, context.config.RISK_MARKET);
  context.output.table(
    [
      'month',
      'number',
      'step',
      { field: 'rows', align: 'right' },
      { field: 'bytes', align: 'right' },
      'begun_at',
      'location',
    ],
    await listArchived(database.query),
  );
});

export const monthActions = { month, restore, list };

/**
 * Restores the tables of a cold month from its files. One database transaction makes, fills and compares the tables with the
 * manifest, so the month is cold or detached after a crash at any point. The attach follows.
 * @returns the number of transactions without a score
 */
async function restoreMonth(
  archiving: Archiving,
  archived: ArchivedMonth | undefined,
): Promise<number> {
  const { database, month, failpoint, signal, waitSeconds, note } = archiving;
  if (archived?.step === 'cold') {
    await makeTables(archiving, archived);
    failpoint('archive-restored');
    note(
      `${countRows(archived.manifest.tables)} rows are restored, and equal those of the archive`,
    );
  }
  return await patiently(waitSeconds, signal, () => attachMonth(database, month, BY));
}

async function makeTables(
  { database, key, month, openFileStore, failpoint, note }: Archiving,
  archived: ArchivedMonth,
): Promise<void> {
  const { manifest } = archived;
  const stored = storedOf(manifest, openFileStore(archived.location), key);
  await database.copyTransaction(async (query, copy) => {
    await lockPartitions(query);
    for (const kind of KINDS) {
      const table = manifest.tables.find(({ name }) => name === partitionName(kind, month));
      if (table === undefined) continue;
      await makeTable({ query, copy }, stored, kind, month, table);
      note(`${table.name}: ${table.rows} rows`);
    }
    await saveMonth(query, { ...archived, step: 'ended' }, 'cold');
    await recordChange(query, BY, {
      action: 'month.restore',
      subject: manifest.month,
      before: { location: archived.location, number: manifest.number },
      after: { rows: countRows(manifest.tables) },
    });
    failpoint('archive-restoring');
  });
}

/** Makes a table as the manifest has it; the attach adds indexes, and columns and checks of later migrations. */
async function makeTable(
  { query, copy }: { readonly query: Query; readonly copy: Copy },
  stored: Stored,
  kind: PartitionedTable,
  month: Month,
  table: Table,
): Promise<void> {
  await buildTable(query, kind, month);
  await loadTable(query, copy, stored, table);
  // The role that migrates makes the table, and the role of the market reads it.
  const { owner } = await ownerOf(query, kind);
  await query({ text: `alter table ${tableOf(table)} owner to ${quoted(owner)}` });
}
