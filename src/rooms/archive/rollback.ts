/**
 * Rolls a frozen market back, step by step: drain, export, read back, remove its keys, drop its schema, and compare the other
 * markets. After a crash at any point `--continue` repeats the step, with the same result.
 */
import type { OpenModels } from '../../core/score/judge.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import type { KafkaClients } from '../../core/stream/kafka/clients.ts';
import { removeTopics } from '../../core/stream/kafka/topics.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import { byCommand } from '../../kit/command/stores.ts';
import type { Database } from '../../kit/database/pool.ts';
import { firstOf } from '../../kit/database/statement.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import { Failure } from '../../kit/words/failure.ts';
import { requireApproved, requireFreeze } from './approval.ts';
import { type Archive, removeStrays, type Step, type WriteArchive } from './archive-file.ts';
import { type Draining, deadLetterRest, drain } from './drain.ts';
import { type Dropping, dropUnchanged } from './drop-market.ts';
import {
  exportTable,
  hasSchema,
  listMigrations,
  listTables,
  type Stored,
  verifyArchive,
} from './export-table.ts';
import { openFolder } from './file-stores/folder.ts';
import { listOthers, lossesOf, readFigures } from './market-figures.ts';
import { sha256 } from './part-file.ts';
import { removeKeys } from './remove-keys.ts';

/** The files of the archive; a rollback that goes on may write a file again. */
const storedOf = ({ folder, market: archive, key }: Rollback): Stored => {
  return { store: openFolder(folder, true), archive, key };
};

export type Rollback = Omit<Draining, 'frozenAt'> &
  Dropping & {
    readonly folder: string;
    readonly writeArchive: WriteArchive;
    readonly key: Buffer | null;
    readonly isRestDead: boolean;
    readonly openMarket: (market: string) => Database;
    readonly redis: RedisClient;
    /** Undefined where no KAFKA_URL is set. */
    readonly kafka: KafkaClients | undefined;
    readonly openModels: OpenModels;
  };

/** Begins an archive without tables, with the figures of the other markets. @throws Failure where the market is not frozen */
export async function beginArchive(rollback: Rollback): Promise<Archive> {
  const { market, database, key } = rollback;
  const { frozenAt } = await database.transaction((query) => requireFreeze(query, market));
  const migrations = await listMigrations(database.query);
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
    others: await figuresOfOthers(rollback),
    losses: [],
  };
}

/** Runs the remaining steps, and writes `archive.json` after each step. */
export async function rollBack(rollback: Rollback, begun: Archive): Promise<Archive> {
  const { failpoint, note, writeArchive } = rollback;
  let archive = begun;
  await writeArchive(archive);
  while (archive.step !== 'done') {
    const { step } = archive;
    refuseStopped(rollback);
    note(step);
    archive = await WORK[step](rollback, archive);
    failpoint(`archive-${step}`);
    await writeArchive(archive);
  }
  return archive;
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
    for (const table of await listTables(database.query, market)) {
      if (archive.tables.some(({ name }) => name === table.name)) continue;
      refuseStopped(rollback);
      const made = await exportTable(database, storedOf(rollback), table);
      failpoint(`archive-table-${table.name}`);
      archive = { ...archive, tables: [...archive.tables, made] };
      await writeArchive(archive);
      if (made.rows > 0) note(`${made.name}: ${made.rows} rows`);
    }
    return { ...archive, step: 'verify' };
  },
  verify: async (rollback, archive) => {
    await removeStrays(rollback.folder, archive.tables);
    const rows = await verifyArchive(storedOf(rollback), archive);
    rollback.note(`${rows} rows were read back`);
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
    const after = await figuresOfOthers(rollback, archive);
    const losses = archive.others.flatMap((before) => {
      const now = after.find(({ market }) => market === before.market);
      return now === undefined ? [`${before.market} is gone`] : lossesOf(before, now);
    });
    await report(rollback, { ...archive, losses }, after);
    return { ...archive, step: 'done', losses };
  },
};

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
  await writeArchive({ ...archive, step: 'export', tables });
  const why = `${changed.join(', ')} changed after the export: end the processes of ${market}, then --continue archives these tables again`;
  throw new Failure('conflict', 'CHANGED', why);
}

async function figuresOfOthers(rollback: Rollback, archive?: Archive) {
  const { database, market, openMarket, openModels } = rollback;
  const figures: Archive['others'] = [];
  for (const { market: other } of await listOthers(database.query, market)) {
    await using opened = openMarket(other);
    const sample = archive?.others.find((market) => market.market === other)?.sample;
    figures.push(await readFigures(opened, other, openModels, sample));
  }
  return figures;
}

const findReport = firstOf<object, [market: string, archive: string]>(
  'find-rollback-report',
  `select from market.audit_log
    where action = 'rollback.end' and subject = $1 and after ->> 'archive_sha256' = $2`,
);

/** Writes the report, once, to the audit log of the first other market. */
async function report(
  { market, openMarket }: Rollback,
  archive: Archive,
  after: Archive['others'],
): Promise<void> {
  const [first] = after;
  if (first === undefined) return;
  const digest = sha256(JSON.stringify([archive.begun_at, archive.tables]));
  const toReport = (all: Archive['others']) => all.map(({ sample, ...figures }) => figures);
  await using opened = openMarket(first.market);
  await opened.transaction(async (query) => {
    if ((await findReport(query, market, digest)) !== undefined) return;
    await recordChange(query, byCommand('archive rollback'), {
      action: 'rollback.end',
      subject: market,
      before: { others: toReport(archive.others) },
      after: {
        archive_sha256: digest,
        tables: archive.tables.length,
        rows: archive.tables.reduce((sum, { rows }) => sum + rows, 0),
        keys_removed: archive.keys_removed,
        topics_removed: archive.topics_removed,
        losses: archive.losses,
        requested_by: archive.requested_by,
        confirmed_by: archive.confirmed_by,
        others: toReport(after),
      },
    });
  });
}
