/** `risk archive`: archives months and markets, reads archives back, and restores them. */
import { resolve } from 'node:path';
import { z } from 'zod';
import type { OpenModels } from '../../core/score/judge.ts';
import { kafkaOf } from '../../core/stream/kafka/clients.ts';
import { type Command, type CommandContext, EXIT, UsageError } from '../../kit/command/command.ts';
import { needed, whole } from '../../kit/command/options.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { openCommandRedis, ownerUrl } from '../../kit/command/stores.ts';
import { isMarketName } from '../../kit/config/market-settings.ts';
import type { Database } from '../../kit/database/pool.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../../kit/process/failpoint.ts';
import { parseJson } from '../../kit/words/cursor.ts';
import { Failure } from '../../kit/words/failure.ts';
import { reasonText } from '../../kit/words/plain-text.ts';
import {
  ARCHIVE_FILE,
  type Archive,
  archiveSchema,
  countRows,
  createWriteArchive,
  MANIFEST_BYTES_MAX,
  openArchive,
} from './archive-file.ts';
import { listArchivedMarkets } from './archived-markets.ts';
import { hasSchema } from './drop-tables.ts';
import { eraseFromArchive } from './erase-from-archive.ts';
import { verifyArchive } from './export-table.ts';
import type { FileStore } from './file-stores/file-store.ts';
import { type Folder, openFolder } from './file-stores/folder.ts';
import { LOCK_OPTION, openFileStore } from './file-stores/open-file-store.ts';
import { monthActions, requireEncryption } from './months/commands.ts';
import { manifestSchema, storedOf } from './months/manifest.ts';
import { openArchiveDatabase } from './open-database.ts';
import { KEY_OPTIONS, keyOption } from './part-file.ts';
import { restoreMarket } from './restore-market.ts';
import { beginArchive, rollBack } from './rollback.ts';
import { loadKeys } from './subject-keys.ts';

const WAIT_HOURS_MAX = 720;

const APART = {
  '--subject-keys DIR': 'Folder of the keys of subjects, apart from the archive',
} as const;

const ROLLBACK_OPTIONS = {
  '--to PLACE': needed('Folder, or s3://BUCKET/PREFIX'),
  ...KEY_OPTIONS,
  '--unencrypted': 'Do without a key',
  ...APART,
  ...LOCK_OPTION,
  '--continue': 'Go on with the archive of the place',
  '--wait-hours N': whole(
    'Wait N hours from now for pending transactions (default: 24 from the freeze)',
    { min: 0, max: WAIT_HOURS_MAX },
    null,
  ),
  '--dead-letter-rest': 'Make dead letters of pending transactions',
} as const;

/** @throws UsageError where keys could not be deleted: in a bucket, or in the archive, which never changes */
function keysFolder(path: string | undefined, { name }: FileStore): Folder | undefined {
  if (path === undefined) return undefined;
  if (path.startsWith('s3:'))
    throw new UsageError(
      `--subject-keys must be a folder, in which keys can be deleted, not '${path}'`,
    );
  const folder = resolve(path);
  if (`${folder}/`.startsWith(`${name}/`))
    throw new UsageError(`--subject-keys must be apart from ${name}, which never changes`);
  return openFolder(folder);
}

/** @throws Failure where there is no such market, or the place has an archive of an earlier rollback of a market that exists again */
async function requireOther(
  { query }: Database,
  market: string,
  { name }: FileStore,
  found: Archive | undefined,
): Promise<void> {
  const { has } = await hasSchema(query, market);
  if (found === undefined && !has)
    throw new Failure('not-found', 'MARKET_UNKNOWN', `there is no market ${market}`);
  if (found?.step !== 'done' || !has) return;
  const why = `${name} has an archive of ${market}, which exists again: begin in another place`;
  throw new Failure('conflict', 'ARCHIVED_BEFORE', why);
}

const DROPS = 'Archive a frozen market and drop it';
const rollbackOf = (openModels: OpenModels) =>
  written('NAME', DROPS, ROLLBACK_OPTIONS, async ({ values, words: [market = ''] }, context) => {
    const { config, environment, output, signal } = context;
    if (!isMarketName(market)) throw new UsageError(`NAME must be a market, not '${market}'`);
    const store = openFileStore(values.to, config);
    const key = await keyOption(values.key, values.unencrypted);
    const subjectKeys = keysFolder(values['subject-keys'], store);
    const openMarket = (name: string) => openArchiveDatabase(config, name);
    const found = await openArchive(store, market, values.continue);
    if (found !== undefined) requireEncryption(found, key);
    await using database = openMarket(market);
    await requireOther(database, market, store, found);
    using stores = await openCommandRedis(context);
    await using stack = new AsyncDisposableStack();
    const parts = {
      market,
      store,
      subjectKeys,
      writeArchive: createWriteArchive(store),
      key,
      lockYears: values['lock-years'],
      waitHours: values['wait-hours'],
      isRestDead: values['dead-letter-rest'],
      openMarket,
      database,
      redis: stores.redis,
      kafka: kafkaOf(config.KAFKA_URL, stack),
      openModels,
      failpoint: createFailpoint(environment[FAILPOINT_VARIABLE]),
      signal,
      note: output.note,
    };
    const done = await rollBack(parts, found ?? (await beginArchive(parts)));
    const rows = countRows(done.tables);
    const { keys_removed: keys, topics_removed: topics, tables } = done;
    const folder = store.name;
    output.value({ market, folder, tables: tables.length, rows, keys, topics }, [
      `${market} is archived in ${folder} and dropped: tables=${tables.length} rows=${rows} keys=${keys} topics=${topics}`,
    ]);
    for (const loss of done.losses) output.note(loss);
    return done.losses.length === 0 ? EXIT.fine : EXIT.failed;
  });

const READS_BACK = 'Read an archive back, without Postgres and Redis';
const VERIFY_OPTIONS = { ...KEY_OPTIONS, ...APART } as const;
const verify = written('PLACE', READS_BACK, VERIFY_OPTIONS, async ({ values, words }, context) => {
  const { output } = context;
  const { store, archive, key, subjectKeys: folder } = await openAny(words[0], values, context);
  const { market, tables } = archive;
  const stored =
    'month' in archive ? storedOf(archive, store, key) : { store, archive: market, key };
  const rows = await verifyArchive(stored, archive, ({ name, rows: of }) => {
    if (of > 0) output.note(`${name}: ${of} rows`);
  });
  if (folder !== undefined && !('month' in archive)) {
    const { keys, erased } = await loadKeys({ folder, archive, key });
    output.note(`${keys.size} keys of subjects, and ${erased.size} erased`);
  }
  const month = 'month' in archive ? archive.month : undefined;
  output.value({ market, month, tables: tables.length, rows }, [
    `market=${market}${month === undefined ? '' : ` month=${month}`} tables=${tables.length} rows=${rows} different=0`,
  ]);
});

const anySchema = z.union([archiveSchema, manifestSchema]);

/** Opens the archive of a market or a month. @throws Failure where the location has none */
async function openAny(
  location = '',
  values: { readonly key?: string | undefined; readonly 'subject-keys'?: string | undefined },
  { config }: CommandContext,
) {
  const store = openFileStore(location, config);
  const bytes = await store.get(ARCHIVE_FILE, MANIFEST_BYTES_MAX);
  const { data: archive } = anySchema.safeParse(parseJson(bytes.toString()));
  if (archive === undefined) {
    const why = `${ARCHIVE_FILE} of ${store.name} is not of this release`;
    throw new Failure('invalid', 'NO_ARCHIVE', why);
  }
  const key = await keyOption(values.key, archive.encryption === 'none');
  return { store, archive, key, subjectKeys: keysFolder(values['subject-keys'], store) };
}

async function openMarketArchive(...asked: Parameters<typeof openAny>) {
  const { archive, ...opened } = await openAny(...asked);
  if (!('month' in archive)) return { archive, ...opened };
  throw new UsageError(`${opened.store.name} is the archive of a month, not of a market`);
}

const BRINGS_BACK = 'Restore a rolled-back market from its archive; it comes back frozen';
const restoreOf = (openModels: OpenModels) =>
  written('PLACE', BRINGS_BACK, VERIFY_OPTIONS, async ({ values, words }, context) => {
    const { config, environment, output, signal } = context;
    const opened = await openMarketArchive(words[0], values, context);
    const { market } = opened.archive;
    const openMarket = (name: string) => openArchiveDatabase(config, name);
    await using database = openMarket(market);
    const { rows, erased, losses } = await restoreMarket({
      ...opened,
      ...{ market, config, url: ownerUrl(config), database, openMarket, openModels, signal },
      failpoint: createFailpoint(environment[FAILPOINT_VARIABLE]),
      note: output.note,
    });
    output.value({ market, rows, erased }, [
      `${market} is restored and frozen: rows=${rows} erased=${erased}`,
      `give it a role of its own (risk markets grant ${market}), start its processes, then end the freeze`,
    ]);
    for (const loss of losses) output.note(loss);
    return losses.length === 0 ? EXIT.fine : EXIT.failed;
  });

const ERASE_OPTIONS = {
  ...VERIFY_OPTIONS,
  '--field FIELD': needed('account_id, device_id, ip, or a member of metadata'),
  '--value VALUE': needed('The clear value, for which RISK_PRIVACY_KEYS is needed, or its token'),
  '--reason TEXT': needed('Why: write no name'),
} as const;
const ERASES = 'Erase a subject of an archive: add a line to the ledger, and delete its key';
const erase = written('PLACE', ERASES, ERASE_OPTIONS, async ({ values, words }, context) => {
  const { config, output } = context;
  const reason = reasonText.safeParse(values.reason);
  if (!reason.success) throw new UsageError(`--reason ${reason.error.issues[0]?.message}`);
  const opened = await openMarketArchive(words[0], values, context);
  const { token, isKeyDeleted } = await eraseFromArchive(opened, config, values);
  output.value({ market: opened.archive.market, token, key_deleted: isKeyDeleted }, [
    isKeyDeleted
      ? `${token} is erased: the ledger has it, and its key is deleted`
      : `${token} is in the ledger, so no restore brings it back; the archive of 1.0.0 has its key: delete the archive to delete the key`,
  ]);
});

const MARKETS = 'List archives of markets that were rolled back on this server';
const markets = written('', MARKETS, {}, async (_given, { config, output }) => {
  await using database = openArchiveDatabase(config, config.RISK_MARKET);
  output.table(
    [
      'market',
      'begun_at',
      { field: 'rows', align: 'right' },
      { field: 'bytes', align: 'right' },
      'lock_until',
      'restored_at',
      'location',
      'subject_keys',
    ],
    await listArchivedMarkets(database.query),
  );
});

export const createCommand = (openModels: OpenModels): Command =>
  commandOf({
    name: 'archive',
    summary: 'Archives a month or a frozen market, verifies archives, and restores them.',
    notes: `month detaches a month of RISK_MARKET, writes its rows to files, reads them back, makes the files immutable, and drops the tables with
--drop, once two people have agreed (request-drop). The month is then cold. PLACE is a folder, or s3://BUCKET/PREFIX with the settings RISK_S3_*.

rollback waits until nothing of the frozen market NAME is pending, exports its tables as Parquet, and reads the files back. Once two
people have agreed (request), rollback removes the market's keys in Redis and topics in Kafka, drops its schema, and compares the
other markets with before. --continue goes on after a stop or a crash. rollback needs DATABASE_URL and REDIS_URL, and KAFKA_URL where
a corridor used Kafka.

Example: risk archive month 2026-03 --to /archives --key /keys/market_0 --drop
Example: risk archive rollback market_1 --to /archives/market_1 --key /keys/market_1`,
    document: async () => (await import('./routes.ts')).document,
    actions: {
      ...monthActions,
      request: { operation: 'requestRollback' },
      'request-drop': { operation: 'requestDrop' },
      rollback: rollbackOf(openModels),
      verify,
      'restore-market': restoreOf(openModels),
      erase,
      markets,
    },
  });
