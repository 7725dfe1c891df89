/** Goal: the test harness itself works as documented, as every other test relies on it. */
import pg from 'pg';
import { expect, test } from 'vitest';
import { askRedis } from '../../src/tools/start/services/redis-protocol.ts';
import { createTestDatabase } from '../support/database.ts';
import { freeze } from '../support/freeze.ts';
import { startTestPostgres, startTestRedis } from '../support/services.ts';
import { waitUntil } from '../support/wait-until.ts';

test('createTestDatabase clones the schema, and drops itself', async () => {
  let name = '';
  {
    await using database = await createTestDatabase();
    await using pool = database.open();
    ({ name } = database);
    const rows = await pool.query({ name: 'probe', text: 'select * from market.scores' });
    expect(rows).toEqual([]);
  }
  await using other = await createTestDatabase({ migrated: false });
  const left = await other.sql('select 1 from pg_database where datname = $1', [name]);
  expect(left).toEqual([]);
});

test('createTestDatabase fails a test that leaves a pool open', async () => {
  const database = await createTestDatabase();
  const pool = database.open({ role: 'leaky' });
  await pool.query({ name: 'probe', text: 'select 1' });
  await expect(database[Symbol.asyncDispose]()).rejects.toThrow('risk-leaky');
  await pool[Symbol.asyncDispose]();
});

test('startTestRedis keeps its address over kill, and its data only when durable', async () => {
  await using redis = await startTestRedis({ durable: true, settings: { appendfsync: 'always' } });
  const { port, password } = new URL(redis.url);
  const ask = (...words: string[]) => askRedis(Number(port), [['AUTH', password], words]);
  await ask('SET', 'key', '7');
  await redis.kill();
  await redis.start();
  expect(await ask('INCR', 'key')).toEqual(['+OK', ':8']);
  await redis.kill();
  await redis.startEmpty();
  expect(await ask('INCR', 'key')).toEqual(['+OK', ':1']);
});

test('startTestPostgres is durable when asked and comes back at the same address', async () => {
  await using postgres = await startTestPostgres({ durable: true });
  const { port } = new URL(postgres.url);
  await postgres.kill();
  await postgres.start();
  expect(new URL(postgres.url).port).toBe(port);
  expect(await answers(postgres.url)).toBe(true);
});

test('Postgres is waited for until what a kill left behind has ended', async () => {
  await using postgres = await startTestPostgres({ durable: true });
  using frozen = freeze(postgres);
  await postgres.kill();
  const started = postgres.start();
  const isOnHold = () => postgres.logTail().includes('shared memory block');
  await waitUntil(isOnHold, 10_000, 'the first start to be refused');
  frozen.thaw();
  await started;
  expect(await answers(postgres.url)).toBe(true);
});

async function answers(url: string): Promise<boolean> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const { rowCount } = await client.query('select 1');
  await client.end();
  return rowCount === 1;
}
