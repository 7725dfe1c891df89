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
import { FOREIGN_SETTINGS, type ForeignSetting } from './settings.ts';
import { openTable, walkHere } from './walk-here.ts';

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
