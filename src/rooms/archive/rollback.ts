/**
 * Rolls a frozen market back, step by step: drain, export, read back, remove its keys, drop its schema, and compare the other
 * markets. After a crash at any point `--continue` repeats the step, with the same result.
 */
import { readControls } from '../../core/store/controls/controls.ts';
import type { KafkaClients } from '../../core/stream/kafka/clients.ts';
import { removeTopics } from '../../core/stream/kafka/topics.ts';
import { onlyOf, rowsOf } from '../../kit/database/statement.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import { Failure } from '../../kit/words/failure.ts';
import { requireApproved, requireFreeze } from './approval.ts';
import {
  ARCHIVE_FILE,
  type Archive,
  filesOf,
  removeStrays,
  type Step,
  type WriteArchive,
  yearsFromNow,
} from './archive-file.ts';
import { listArchive, noteLock, reportRollback } from './archived-markets.ts';
import { type Draining, deadLetterRest, drain } from './drain.ts';
import { type Dropping, dropUnchanged } from './drop-market.ts';
import { hasSchema } from './drop-tables.ts';
import {
  exportTable,
  listMigrations,
  listTables,
  type Stored,
  SUBJECTS,
  verifyArchive,
} from './export-table.ts';
import type { FileStore } from './file-stores/file-store.ts';
import type { Folder } from './file-stores/folder.ts';
import { compareOthers, type OtherMarkets, readOthers } from './market-figures.ts';
import { removeKeys } from './remove-keys.ts';
import { apartOf, exportKeys, keysMissing, loadKeys } from './subject-keys.ts';

/** Time between two writes of `archive.json` in an export. Larger: a crash repeats more tables; smaller: the disk is used more. */
const WRITE_MS = 1000;

/** The files of the archive; a rollback that goes on may write a file again. */
const storedOf = ({ store, market: archive, key }: Rollback): Stored => {
  return { store, archive, key, isReplaced: true };
};

export type Rollback = Omit<Draining, 'frozenAt'> &
  Dropping &
  Omit<OtherMarkets, 'database'> & {
    readonly store: FileStore;
    /** Undefined in a market without personal fields. */
    readonly subjectKeys: Folder | undefined;
    readonly lockYears: number;
    readonly writeArchive: WriteArchive;
    readonly key: Buffer | null;
    readonly isRestDead: boolean;
    readonly redis: RedisClient;
    /** Undefined where no KAFKA_URL is set. */
    readonly kafka: KafkaClients | undefined;
  };

/** Begins an archive without tables, with the figures of the other markets. @throws Failure where the market is not frozen */
export async function beginArchive(rollback: Rollback): Promise<Archive> {
  const { market, database, key } = rollback;
  const { frozenAt } = await database.transaction((query) => requireFreeze(query, market));
  await requireKeysFolder(rollback);
  const migrations = await listMigrations(database.query);
  const corridors = await listCorridors(database.query);
  return {
    format: 1,
    market,
    encryption: key === null ? 'none' : 'aes-256-gcm',
    begun_at: new Date().toISOString(),
    frozen_at: new Date(frozenAt).toISOString(),
    step: 'drain',
    requested_by: null,
    confirmed_by: null,
    migrations: migrations.map(({ name }) => name),
    tables: [],
    keys_removed: 0,
    topics_removed: 0,
    others: await readOthers(rollback),
    losses: [],
    corridors: corridors.map(({ corridor }) => corridor),
  };
}

const listCorridors = rowsOf<{ corridor: string }>(
  'list-corridors-of-archive',
  'select corridor from market.corridors order by corridor',
);

const findPersonal = onlyOf<{ has: boolean }>(
  'find-personal-fields-of-archive',
  'select exists (select from market.personal_fields) as has',
);

/** @throws Failure where the market has subjects, and no folder is given for their keys */
async function requireKeysFolder({ database, market, subjectKeys }: Rollback): Promise<void> {
  const { has } = await findPersonal(database.query);
  if (has && subjectKeys === undefined) throw keysMissing(market);
}

/** @throws Failure where the folder lacks the keys that stand apart: without them nobody reads a personal value again */
async function requireKeys(rollback: Rollback, archive: Archive): Promise<void> {
  const apart = apartOf({ ...rollback, archive });
  if (apart !== undefined) await loadKeys(apart);
}

/** Runs the remaining steps, and writes `archive.json` after each step. */
export async function rollBack(rollback: Rollback, begun: Archive): Promise<Archive> {
  const { failpoint, note, writeArchive } = rollback;
  let archive = begun;
  if (archive.step !== 'done') {
    await requireKeys(rollback, archive);
    await writeArchive(archive);
  }
  while (archive.step !== 'done') {
    const { step } = archive;
    refuseStopped(rollback);
    note(step);
    archive = await WORK[step](rollback, archive);
    failpoint(`archive-${step}`);
    await writeArchive(archive);
  }
  await sealArchive(rollback, archive);
  return archive;
}

/** Makes the files immutable; again where a process ended before. */
async function sealArchive(rollback: Rollback, archive: Archive): Promise<void> {
  const { store, note, lockYears, database, market } = rollback;
  const until = new Date(archive.lock_until ?? yearsFromNow(lockYears));
  const why = await store.seal([...filesOf(archive.tables), ARCHIVE_FILE], until);
  if (why === null) await noteLock(database.query, market, archive.begun_at, until);
  note(why === null ? 'the files are immutable' : `the files are not immutable: ${why}`);
}

/** @throws Failure where a signal has asked the command to stop */
function refuseStopped({ signal }: Pick<Rollback, 'signal'>): void {
  if (signal.aborted) throw new Failure('conflict', 'STOPPED', 'stopped: --continue goes on here');
}

type Work = (rollback: Rollback, archive: Archive) => Promise<Archive>;

const WORK: Readonly<Record<Exclude<Step, 'done'>, Work>> = {
  drain: async (rollback, archive) => {
    const { database, market, isRestDead, note } = rollback;
    await requireSameFreeze(rollback, archive);
    await requireKafka(rollback);
    if (isRestDead) note(`${await deadLetterRest(database, market)} dead letters made`);
    await drain({ ...rollback, frozenAt: archive.frozen_at });
    return { ...archive, step: 'export' };
  },
  export: async (rollback, begun) => {
    const { database, market, writeArchive, failpoint, note } = rollback;
    await requireSameFreeze(rollback, begun);
    let archive = begun;
    let writtenMs = performance.now();
    for (const table of await listTables(database.query, market)) {
      if (archive.tables.some(({ name }) => name === table.name)) continue;
      refuseStopped(rollback);
      const made = await exportTable(database, storedOf(rollback), table);
      failpoint(`archive-table-${table.name}`);
      archive = { ...archive, tables: [...archive.tables, made] };
      if (performance.now() - writtenMs >= WRITE_MS) {
        await writeArchive(archive);
        writtenMs = performance.now();
      }
      if (made.rows > 0) note(`${made.name}: ${made.rows} rows`);
    }
    return { ...(await exportApart(rollback, archive)), step: 'verify' };
  },
  verify: async (rollback, archive) => {
    const { store, note } = rollback;
    await removeStrays(store, archive.tables, ARCHIVE_FILE);
    const rows = await verifyArchive(storedOf(rollback), archive);
    await requireKeys(rollback, archive);
    note(`${rows} rows were read back`);
    return { ...archive, step: 'redis' };
  },
  redis: async (rollback, archive) => {
    const { database, market } = rollback;
    await requireSameFreeze(rollback, archive);
    const approved = await requireApproved(database.query, market);
    return { ...(await removeLogs(rollback, { ...archive, ...approved })), step: 'drop' };
  },
  drop: async (rollback, archive) => {
    const { database, market, failpoint } = rollback;
    // The schema is gone where a process ended after the commit and before `archive.json` was written.
    const { has } = await hasSchema(database.query, market);
    if (has) {
      await requireSameFreeze(rollback, archive);
      const changed = await dropUnchanged(rollback, archive);
      if (changed.length > 0) return await archiveAgain(rollback, archive, changed);
    }
    failpoint('archive-dropped');
    // Processes that ran until the drop may have made keys again.
    return { ...(await removeLogs(rollback, archive)), step: 'others' };
  },
  others: async (rollback, archive) => {
    const since = new Date(archive.begun_at);
    const { after, losses } = await compareOthers(rollback, archive.others, since);
    const done = { ...archive, losses, lock_until: yearsFromNow(rollback.lockYears).toISOString() };
    const apart = archive.subject_keys === undefined ? undefined : rollback.subjectKeys?.name;
    await listArchive(rollback.database.query, done, rollback.store.name, apart);
    await reportRollback(rollback, done, after);
    return { ...done, step: 'done' };
  },
};

/** Exports the columns of subjects that stand apart. */
async function exportApart(rollback: Rollback, archive: Archive): Promise<Archive> {
  const { database, subjectKeys: folder, key } = rollback;
  await requireKeysFolder(rollback);
  if (folder === undefined || archive.subject_keys !== undefined) return archive;
  return { ...archive, subject_keys: await exportKeys(database, { folder, archive, key }) };
}

/** @throws Failure where the market has topics in a Kafka that the command does not know */
async function requireKafka({ database, market, kafka }: Rollback): Promise<void> {
  if (kafka !== undefined) return;
  const { settings } = await readControls(database);
  const onKafka = [...settings].filter(([, { logChangedAtMs }]) => logChangedAtMs !== null);
  if (onKafka.length === 0) return;
  const names = onKafka.map(([corridor]) => corridor).join(', ');
  const why = `${names} of ${market} used Kafka, whose topics go, too: set KAFKA_URL`;
  throw new Failure('conflict', 'KAFKA_UNKNOWN', why);
}

/** Removes the market's keys in Redis and its topics in Kafka. */
async function removeLogs({ redis, kafka, market }: Rollback, archive: Archive): Promise<Archive> {
  const topics = kafka === undefined ? 0 : await removeTopics(kafka, market);
  const keys = await removeKeys(redis, market);
  return {
    ...archive,
    keys_removed: archive.keys_removed + keys,
    topics_removed: archive.topics_removed + topics,
  };
}

/** @throws Failure where the market was resumed since the archive began */
async function requireSameFreeze({ database, market }: Rollback, archive: Archive): Promise<void> {
  const { frozenAt } = await database.transaction((query) => requireFreeze(query, market));
  if (new Date(frozenAt).toISOString() === archive.frozen_at) return;
  const why = `${market} was resumed since, and frozen again at ${frozenAt}: begin in another directory`;
  throw new Failure('conflict', 'FROZEN_AGAIN', why);
}

/** Takes tables that changed after their export out of the archive, so that `--continue` exports them again. */
async function archiveAgain(
  { writeArchive, market }: Rollback,
  archive: Archive,
  changed: readonly string[],
): Promise<never> {
  const tables = archive.tables.filter(({ name }) => !changed.includes(name));
  const { subject_keys: keys, ...others } = archive;
  const isKept = keys !== undefined && !changed.includes(SUBJECTS);
  await writeArchive({ ...others, step: 'export', tables, ...(isKept && { subject_keys: keys }) });
  const why = `${changed.join(', ')} changed after the export: end the processes of ${market}, then --continue archives these tables again`;
  throw new Failure('conflict', 'CHANGED', why);
}
