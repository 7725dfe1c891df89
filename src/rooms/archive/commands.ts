/** `risk archive`: rolls a market back, and reads an archive back. */
import type { OpenModels } from '../../core/score/judge.ts';
import { kafkaOf } from '../../core/stream/kafka/clients.ts';
import {
  type Command,
  type CommandContext,
  EXIT,
  integerOption,
  optionsOf,
  parseArguments,
  UsageError,
} from '../../kit/command/command.ts';
import { commandOf } from '../../kit/command/rows.ts';
import { openCommandRedis, ownerUrl } from '../../kit/command/stores.ts';
import { isMarketName } from '../../kit/config/market-settings.ts';
import { openDatabase } from '../../kit/database/open-database.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../../kit/process/failpoint.ts';
import { openArchive, readArchive } from './archive-file.ts';
import { verifyArchive } from './export-table.ts';
import { readKey } from './part-file.ts';
import { beginArchive, rollBack } from './rollback.ts';

/** A statement reads a whole table, and the last one all of them behind locks. */
const STATEMENT_MS_MAX = 3_600_000;
const LOCK_WAIT_MS = 10_000;
const WAIT_HOURS_MAX = 720;

const KEY_OPTIONS = {
  '--key FILE': 'File with base64 of 32 bytes (`openssl rand -base64 32`): keep it elsewhere',
} as const;
const ROLLBACK_OPTIONS = {
  '--to DIR': 'Directory of the archive; needed',
  ...KEY_OPTIONS,
  '--unencrypted': 'Do without a key',
  '--continue': 'Go on with the archive of the directory',
  '--wait-hours N': 'Wait so long for what is pending, from now on (24 from the freeze on)',
  '--dead-letter-rest': 'Make dead letters of what is pending',
} as const;

async function rollback(args: string[], context: CommandContext, openModels: OpenModels) {
  const { config, environment, output, signal } = context;
  const options = optionsOf(ROLLBACK_OPTIONS);
  const { values, positionals } = parseArguments(args, options, { required: ['NAME'] });
  const [market = ''] = positionals;
  if (!isMarketName(market)) throw new UsageError(`NAME must be a market, not '${market}'`);
  const folder = values.to;
  if (folder === undefined) throw new UsageError('--to is missing');
  const key = await keyOption(values.key, values.unencrypted === true);
  const hours = values['wait-hours'];
  const bounds = { min: 0, max: WAIT_HOURS_MAX };
  const waitHours = hours === undefined ? null : integerOption('--wait-hours', hours, bounds, 0);
  const url = ownerUrl(config);
  const openMarket = (name: string) =>
    openDatabase({ ...config, RISK_MARKET: name }, url, 'archive', {
      connectionsMax: 1,
      statementTimeoutMs: STATEMENT_MS_MAX,
      lockTimeoutMs: LOCK_WAIT_MS,
      namedStatements: false,
      settings: { timezone: 'UTC', datestyle: 'ISO', bytea_output: 'hex', extra_float_digits: '1' },
    });
  const found = await openArchive(folder, market, values.continue === true);
  if (found !== undefined && (found.encryption === 'none') !== (key === null)) {
    throw new UsageError(`the archive was begun with the encryption ${found.encryption}`);
  }
  await using database = openMarket(market);
  using stores = await openCommandRedis(context);
  await using stack = new AsyncDisposableStack();
  const parts = {
    market,
    folder,
    key,
    waitHours,
    isRestDead: values['dead-letter-rest'] === true,
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
}

/** No key is an answer that must be given. */
async function keyOption(path: string | undefined, isPlain: boolean): Promise<Buffer | null> {
  if (path !== undefined && !isPlain) return await readKey(path);
  if (path === undefined && isPlain) return null;
  throw new UsageError('give --key FILE, or --unencrypted');
}

const verify: Command['run'] = async (args, { output }) => {
  const { values, positionals } = parseArguments(args, optionsOf(KEY_OPTIONS), {
    required: ['DIR'],
  });
  const [folder = ''] = positionals;
  const archive = await readArchive(folder);
  const { market, tables, encryption } = archive;
  const key = await keyOption(values.key, encryption === 'none');
  const rows = await verifyArchive({ folder, market, key }, archive, ({ name, rows: of }) => {
    if (of > 0) output.note(`${name}: ${of} rows`);
  });
  output.value({ market, tables: tables.length, rows }, [
    `market=${market} tables=${tables.length} rows=${rows} different=0`,
  ]);
  return EXIT.fine;
};

export const createCommand = (openModels: OpenModels): Command =>
  commandOf({
    name: 'archive',
    summary: 'Archives a frozen market and drops it, or reads an archive back.',
    notes: `rollback waits until nothing of the frozen market NAME is pending, exports its tables as Parquet, reads them back, removes its keys in
Redis and its topics in Kafka, drops its schema where two people have agreed (request), and compares the other markets with before. What was
stopped, also by a crash, goes on with --continue. Needs DATABASE_URL and REDIS_URL, and KAFKA_URL where a corridor used Kafka.

Example: risk archive rollback market_1 --to /archives/market_1 --key /keys/market_1`,
    document: async () => (await import('./routes.ts')).document,
    actions: {
      request: { operation: 'requestRollback', words: { NAME: 'id' } },
      rollback: {
        words: 'NAME',
        summary: 'Archive a frozen market and drop it',
        options: ROLLBACK_OPTIONS,
        run: (args, context) => rollback(args, context, openModels),
      },
      verify: {
        words: 'DIR',
        summary: 'Read an archive back, without the stores',
        options: KEY_OPTIONS,
        run: verify,
      },
    },
  });
