/**
 * Goal: `npm run foreign` leaves stores as they were, whether the main way holds on them or not. Method: the program, on a database
 * and a Redis of the tests.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterAll, expect, test } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { childEnvironment, watch } from '../support/risk.ts';
import type { Ran } from '../support/run-risk.ts';
import { startTestRedis } from '../support/services.ts';

const PROGRAM = fileURLToPath(new URL('run.ts', import.meta.url));
const redis = await openForFile(startTestRedis());
const commands = new Redis(redis.url);
afterAll(() => commands.disconnect());

async function runForeign({ url }: TestDatabase, ...more: readonly string[]): Promise<Ran> {
  const args = [PROGRAM, '--database-url', url, '--redis-url', redis.url, ...more];
  await using run = watch(spawn(process.execPath, args, { env: childEnvironment({}) }));
  const { code } = await run.exited;
  return { code, stdout: run.stdout(), stderr: run.stderr() };
}

const schemasOf = async ({ sql }: TestDatabase) => {
  const rows = await sql<{ name: string }>(
    `select nspname as name from pg_namespace where nspname !~ '^pg_' order by 1`,
  );
  return rows.map(({ name }) => name);
};
const BARE = ['information_schema', 'public'];

test('the main way is walked on stores of anybody, which are empty again afterwards', async () => {
  await using database = await createTestDatabase({ migrated: false });
  const { code, stdout, stderr } = await runForeign(database, '--market', 'foreign_test');
  expect({ code, stderr, stdout }).toMatchObject({ code: 0, stderr: '' });
  const [first, second] = stdout.split('\n');
  expect(first).toMatch(/the schema foreign_test, and the schema shared, which is not there yet$/);
  expect(second).toMatch(/keys foreign_test:\* and \{foreign_test:\*$/);
  expect(stdout).toMatch(/foreign_test \| held( \| held)*\n/);
  expect(stdout).toMatch(/removed [1-9]\d* keys/);
  expect(await schemasOf(database)).toEqual(BARE);
  expect(await commands.dbsize()).toBe(0);
});

test('markets that are there keep their corridors, their rows and their keys', async () => {
  await using database = await createTestDatabase();
  await database.sql(`update shared.corridors set market = null where corridor = 'ES-CO'`);
  await commands.set('market_0:identity', 'own');
  const corridors = () => database.sql('select corridor, market from shared.corridors order by 1');
  const before = [await schemasOf(database), await corridors()];
  const { code, stdout } = await runForeign(database);
  expect({ code, stdout }).toMatchObject({ code: 0 });
  expect([await schemasOf(database), await corridors()]).toEqual(before);
  expect(await commands.keys('*')).toEqual(['market_0:identity']);

  const taken = await runForeign(database, '--market', 'market_0');
  expect(taken).toMatchObject({ code: 2, stderr: expect.stringContaining('is there already') });
  expect([await schemasOf(database), await corridors()]).toEqual(before);
  await commands.flushall();
});

test('a step that does not hold is named, and what was made before it is removed', async () => {
  const settings = { default_transaction_read_only: 'on' };
  await using database = await createTestDatabase({ migrated: false, settings });
  const { code, stdout } = await runForeign(database);
  expect({ code, stdout }).toMatchObject({ code: 1 });
  expect(stdout).toMatch(/NOT HELD {2}migrate: .*default_transaction_read_only/);
  expect(await schemasOf(database)).toEqual(BARE);
});
