/** `risk privacy migrate`: tokens in place of the clear values of a market that has transactions. */
import { isPersonalField } from '../../../core/domain/personal.ts';
import {
  type CommandContext,
  EXIT,
  optionsOf,
  parseArguments,
  UsageError,
  unlessStopped,
} from '../../../kit/command/command.ts';
import { openCommandRedis, ownerUrl } from '../../../kit/command/stores.ts';
import type { Config } from '../../../kit/config/config.ts';
import { openDatabase } from '../../../kit/database/open-database.ts';
import { createFailpoint, FAILPOINT_VARIABLE } from '../../../kit/process/failpoint.ts';
import { privacySettings } from '../open-personal.ts';
import { cancelMigration, migrate } from './migrate.ts';

export const FIELDS_MAX = 16;
const REASON_CHARS_MAX = 500;
/** A statement may read a whole table. Larger: a hanging statement is noticed later; smaller: a large table cannot be migrated. */
const STATEMENT_MS_MAX = 3_600_000;
const LOCK_WAIT_MS = 10_000;

const OPTIONS = {
  '--reason TEXT': 'Why, for the audit log: write no value; needed to begin',
  '--cancel': 'Open the market again, before the first value is rewritten',
} as const;

export const migrateAction = {
  words: '[FIELD…]',
  summary: 'Rewrite the clear values of a market with transactions, or go on with it',
  options: OPTIONS,
  run,
};

/** Opens two connections: one walks the tables, the other makes subjects. */
export const openMigrationDatabase = (config: Config, url = ownerUrl(config)) =>
  openDatabase(config, url, 'privacy', {
    connectionsMax: 2,
    statementTimeoutMs: STATEMENT_MS_MAX,
    lockTimeoutMs: LOCK_WAIT_MS,
    namedStatements: false,
  });

/** @throws UsageError that names the first word that is no field */
export function readFields(words: readonly string[]): string[] {
  const wrong = words.find((field) => !isPersonalField(field));
  if (wrong !== undefined)
    throw new UsageError(
      `FIELD must be account_id, device_id, ip, or a member of metadata, as metadata.customer.email, not '${wrong}'`,
    );
  return [...new Set(words)];
}

async function run(args: string[], context: CommandContext): Promise<number> {
  const { config, environment, output, signal } = context;
  const words = { required: [], max: FIELDS_MAX };
  const { values, positionals } = parseArguments(args, optionsOf(OPTIONS), words);
  const fields = readFields(positionals);
  const reason = values.reason?.trim();
  if (reason !== undefined && (reason === '' || reason.length > REASON_CHARS_MAX))
    throw new UsageError(`--reason must have 1 to ${REASON_CHARS_MAX} characters`);
  await using database = openMigrationDatabase(config);
  if (values.cancel === true) {
    await cancelMigration(database);
    output.value({ state: 'cancelled' }, ['cancelled; the market takes transactions']);
    return EXIT.fine;
  }
  const settings = privacySettings(config);
  using stores = await openCommandRedis(context);
  const beganMs = performance.now();
  const migrated = await unlessStopped(
    context,
    'the market stays closed: risk privacy migrate goes on, and --cancel opens it before the first value is rewritten',
    migrate({
      market: config.RISK_MARKET,
      database,
      redis: stores.redis,
      settings,
      fields,
      reason,
      failpoint: createFailpoint(environment[FAILPOINT_VARIABLE]),
      signal,
      progress: output.progress,
    }),
  );
  if (migrated === undefined) return EXIT.failed;
  const seconds = Math.round((performance.now() - beganMs) / 100) / 10;
  const { rows, subjects, keysRemoved: redis_keys } = migrated;
  output.value({ state: 'done', fields: migrated.fields, rows, subjects, redis_keys, seconds }, [
    `${migrated.fields.join(' and ')} are tokens: rows=${rows} subjects=${subjects} redis_keys=${redis_keys} seconds=${seconds}`,
    'Restart the workers, whose memory has clear values.',
    'Clear values stay in backups, the WAL, replicas until they have replayed it, topics of Kafka, logs, files of exports and archives, until their retention ends.',
  ]);
  return EXIT.fine;
}
