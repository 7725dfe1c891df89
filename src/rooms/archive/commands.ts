/** `risk archive`: archives months and markets, and reads archives back. */
import { z } from 'zod';
import type { OpenModels } from '../../core/score/judge.ts';
import { kafkaOf } from '../../core/stream/kafka/clients.ts';
import { type Command, EXIT, UsageError } from '../../kit/command/command.ts';
import { needed, whole } from '../../kit/command/options.ts';
import { commandOf, written } from '../../kit/command/rows.ts';
import { openCommandRedis } from '../../kit/command/stores.ts';
import { isMarketName } from '../../kit/config/market-settings.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../../kit/process/failpoint.ts';
import { parseJson } from '../../kit/words/cursor.ts';
import { Failure } from '../../kit/words/failure.ts';
import { ARCHIVE_FILE, archiveSchema, createWriteArchive, openArchive } from './archive-file.ts';
import { verifyArchive } from './export-table.ts';
import type { FileStore } from './file-stores/file-store.ts';
import { openFileStore } from './file-stores/open-file-store.ts';
import { monthActions, requireEncryption } from './months/commands.ts';
import { manifestSchema, storedOf } from './months/manifest.ts';
import { openArchiveDatabase } from './open-database.ts';
import { KEY_OPTIONS, keyOption } from './part-file.ts';
import { beginArchive, rollBack } from './rollback.ts';

const WAIT_HOURS_MAX = 720;

const ROLLBACK_OPTIONS = {
  '--to DIR': needed('Directory of the archive'),
  ...KEY_OPTIONS,
  '--unencrypted': 'Do without a key',
  '--continue': 'Go on with the archive of the directory',
  '--wait-hours N': whole(
    'Wait N hours from now for pending transactions (default: 24 from the freeze)',
    { min: 0, max: WAIT_HOURS_MAX },
    null,
  ),
  '--dead-letter-rest': 'Make dead letters of pending transactions',
} as const;

const DROPS = 'Archive a frozen market and drop it';
const rollbackOf = (openModels: OpenModels) =>
  written('NAME', DROPS, ROLLBACK_OPTIONS, async ({ values, words: [market = ''] }, context) => {
    const { config, environment, output, signal } = context;
    if (!isMarketName(market)) throw new UsageError(`NAME must be a market, not '${market}'`);
    const folder = values.to;
    const key = await keyOption(values.key, values.unencrypted);
    const openMarket = (name: string) => openArchiveDatabase(config, name);
    const found = await openArchive(folder, market, values.continue);
    if (found !== undefined) requireEncryption(found, key);
    await using database = openMarket(market);
    using stores = await openCommandRedis(context);
    await using stack = new AsyncDisposableStack();
    const parts = {
      market,
      folder,
      writeArchive: createWriteArchive(folder),
      key,
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
    const rows = done.tables.reduce((sum, table) => sum + table.rows, 0);
    const { keys_removed: keys, topics_removed: topics, tables } = done;
    output.value({ market, folder, tables: tables.length, rows, keys, topics }, [
      `${market} is archived in ${folder} and dropped: tables=${tables.length} rows=${rows} keys=${keys} topics=${topics}`,
    ]);
    for (const loss of done.losses) output.note(loss);
    return done.losses.length === 0 ? EXIT.fine : EXIT.failed;
  });

const READS_BACK = 'Read an archive back, without Postgres and Redis';
const verify = written('PLACE', READS_BACK, KEY_OPTIONS, async ({ values, words }, context) => {
  const { config, output } = context;
  const store = openFileStore(words[0] ?? '', config);
  const archive = await readAny(store);
  const { market, tables, encryption } = archive;
  const key = await keyOption(values.key, encryption === 'none');
  const stored =
    'month' in archive ? storedOf(archive, store, key) : { store, archive: market, key };
  const rows = await verifyArchive(stored, archive, ({ name, rows: of }) => {
    if (of > 0) output.note(`${name}: ${of} rows`);
  });
  const month = 'month' in archive ? archive.month : undefined;
  output.value({ market, month, tables: tables.length, rows }, [
    `market=${market}${month === undefined ? '' : ` month=${month}`} tables=${tables.length} rows=${rows} different=0`,
  ]);
});

/** Larger: a store that is not ours takes more memory; smaller: an archive of many months of files is refused. */
const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
const anySchema = z.union([archiveSchema, manifestSchema]);

/** Reads the `archive.json` of a market or a month. @throws Failure where the store has no archive */
async function readAny(store: FileStore): Promise<z.infer<typeof anySchema>> {
  const bytes = await store.get(ARCHIVE_FILE, MANIFEST_BYTES_MAX);
  const read = anySchema.safeParse(parseJson(bytes.toString()));
  if (read.success) return read.data;
  const why = `${ARCHIVE_FILE} of ${store.name} is not of this release`;
  throw new Failure('invalid', 'NO_ARCHIVE', why);
}

export const createCommand = (openModels: OpenModels): Command =>
  commandOf({
    name: 'archive',
    summary: 'Archives a month or a frozen market, verifies archives, and restores a month.',
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
    },
  });
