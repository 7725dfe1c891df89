/**
 * Goal: the main way of the engine holds under each setting of Postgres that others use. Method: a database or a role that begins its
 * sessions with the setting; a table says which steps held.
 */
import { Redis } from 'ioredis';
import { afterAll, expect, inject, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { startTestRedis } from '../support/services.ts';
import { askPostgres, superuserUrl } from '../support/standby.ts';
import { openTable, walkHere } from './walk-here.ts';

type ForeignSetting = {
  readonly name: string;
  readonly value: string;
  readonly why: string;
  /** True for a setting that only a superuser may give a database. */
  readonly isOfSuperuser?: boolean;
  /** True for a value that only some builds of Postgres have. */
  readonly isOfBuild?: boolean;
  /** Major version of Postgres that has the setting first. */
  readonly since?: number;
  /** True where the engine has to refuse to write, and to name the setting. */
  readonly forbidsWriting?: boolean;
};

const FOREIGN_SETTINGS: readonly ForeignSetting[] = [
  { name: 'array_nulls', value: 'off', why: 'null in an array is the text NULL' },
  { name: 'backslash_quote', value: 'off', why: 'a quote after a backslash is refused' },
  { name: 'bytea_output', value: 'escape', why: 'bytes are written in octal digits' },
  { name: 'client_encoding', value: 'LATIN1', why: 'texts arrive in another encoding' },
  { name: 'client_min_messages', value: 'debug5', why: 'each answer brings a hundred notices' },
  { name: 'client_min_messages', value: 'error', why: 'no notice arrives' },
  { name: 'constraint_exclusion', value: 'off', why: 'checks leave no partition out' },
  { name: 'datestyle', value: 'German', why: 'times are 29.11.2026, which drivers read as null' },
  { name: 'datestyle', value: 'SQL, DMY', why: 'days stand before months, in input as well' },
  { name: 'datestyle', value: 'Postgres, YMD', why: 'times begin with the day of the week' },
  {
    name: 'debug_parallel_query',
    value: 'regress',
    why: 'statements run in parallel workers',
    since: 16,
  },
  {
    name: 'default_transaction_deferrable',
    value: 'on',
    why: 'a serializable reader waits for writers',
  },
  {
    name: 'default_transaction_isolation',
    value: 'serializable',
    why: 'statements have their snapshot before their locks',
  },
  {
    name: 'default_transaction_read_only',
    value: 'on',
    why: 'an operator protects a server that is full or demoted',
    forbidsWriting: true,
  },
  {
    name: 'default_tablespace',
    value: 'pg_default',
    why: 'a partitioned table in the tablespace of the database is refused',
  },
  {
    name: 'default_toast_compression',
    value: 'lz4',
    why: 'long texts are stored in another form',
    isOfBuild: true,
  },
  { name: 'enable_partition_pruning', value: 'off', why: 'statements read every month' },
  { name: 'escape_string_warning', value: 'on', why: 'backslashes bring warnings' },
  { name: 'exit_on_error', value: 'on', why: 'an error ends the session' },
  { name: 'extra_float_digits', value: '-10', why: 'numbers lose digits as they become texts' },
  { name: 'gin_fuzzy_search_limit', value: '1', why: 'indexes of texts leave rows out' },
  {
    name: 'idle_in_transaction_session_timeout',
    value: '20ms',
    why: 'a session between two statements is ended',
  },
  { name: 'idle_session_timeout', value: '50ms', why: 'connections of a pool are ended' },
  { name: 'intervalstyle', value: 'sql_standard', why: 'intervals are written in another form' },
  { name: 'jit_above_cost', value: '0', why: 'each statement is compiled' },
  {
    name: 'lc_messages',
    value: 'C',
    why: 'errors have another language than the server',
    isOfSuperuser: true,
  },
  { name: 'lc_monetary', value: 'C', why: 'amounts of money are written in another form' },
  { name: 'lc_numeric', value: 'C', why: 'numbers of to_char have another point' },
  { name: 'lock_timeout', value: '1ms', why: 'any wait for a lock fails' },
  { name: 'plan_cache_mode', value: 'force_generic_plan', why: 'plans know no values' },
  {
    name: 'plpgsql.extra_errors',
    value: 'all',
    why: 'functions are refused that shadow a variable or take one row of several',
    isOfSuperuser: true,
  },
  {
    name: 'plpgsql.variable_conflict',
    value: 'use_column',
    why: 'a name in a function is a column before it is a variable',
    isOfSuperuser: true,
  },
  { name: 'quote_all_identifiers', value: 'on', why: 'names of tables are written with quotes' },
  { name: 'row_security', value: 'off', why: 'a table with policies refuses its readers' },
  { name: 'search_path', value: 'pg_temp', why: 'functions of others stand first' },
  { name: 'standard_conforming_strings', value: 'off', why: 'a backslash escapes in texts' },
  { name: 'statement_timeout', value: '1ms', why: 'statements are canceled' },
  { name: 'synchronous_commit', value: 'local', why: 'a commit does not wait for a replica' },
  { name: 'timezone', value: 'Asia/Kathmandu', why: 'days begin at 18:15 UTC' },
  { name: 'transaction_timeout', value: '50ms', why: 'long work is ended', since: 17 },
  { name: 'transform_null_equals', value: 'on', why: '`= null` is true of null' },
  { name: 'work_mem', value: '64kB', why: 'sorts and hashes go to files' },
  { name: 'xmloption', value: 'document', why: 'texts of XML need a root' },
];

const redis = await openForFile(startTestRedis());
const commands = new Redis(redis.url);
afterAll(() => commands.disconnect());
const [server] = await askPostgres<{ major: number; values: string[] }>(
  inject('postgresUrl'),
  `select current_setting('server_version_num')::int / 10000 as major,
          array(select unnest(enumvals) from pg_settings) as values`,
);
const major = server?.major ?? 0;
const note = openTable('setting');

const MEANS = ['database', 'role'] as const;
type Means = (typeof MEANS)[number];

async function giveSetting(database: TestDatabase, setting: ForeignSetting, by: Means) {
  const { name, value, isOfSuperuser = false } = setting;
  const url = inject('postgresUrl');
  const role = new URL(url).username;
  const whose =
    by === 'role' ? `role ${role} in database ${database.name}` : `database ${database.name}`;
  await askPostgres(
    isOfSuperuser ? superuserUrl(url) : url,
    `alter ${whose} set ${name} = '${value}'`,
  );
}

const KNOWN = FOREIGN_SETTINGS.filter(
  ({ since = 0, isOfBuild = false, value }) =>
    since <= major && (!isOfBuild || server?.values.includes(value)),
);
const CASES = KNOWN.map((setting, nth) => ({ setting, by: MEANS[nth % MEANS.length] as Means }));

test.each(CASES)(
  'the main way holds under $setting.name = $setting.value of the $by',
  async ({ setting, by }) => {
    await using database = await createTestDatabase({ migrated: false });
    await giveSetting(database, setting, by);
    await commands.flushall();
    const walked = await walkHere({ DATABASE_URL: database.url, REDIS_URL: redis.url });
    note(`${setting.name} = ${setting.value} of the ${by}`, walked);
    const { problems } = walked;
    if (setting.forbidsWriting === true)
      expect(problems).toEqual([expect.stringMatching(new RegExp(`^migrate: .*${setting.name}`))]);
    else expect(problems).toEqual([]);
  },
);
