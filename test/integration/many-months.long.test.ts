/**
 * Goal: a market with decades of months takes, scores, finds and labels payments of now and of long ago on a server with few locks,
 * and can be rolled back there. Method: a Postgres of its own, whose locks are fewer than the tables and indexes of the months.
 */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { openForFile } from '../support/open-for-file.ts';
import { spawnRisk } from '../support/risk.ts';
import { agreeOnRollback } from '../support/rooms/archive/agree.ts';
import { freezeMarket } from '../support/rooms/corridors/freeze-market.ts';
import { runRisk } from '../support/run-risk.ts';
import { startRunningApi } from '../support/running-api.ts';
import { startTestPostgres, startTestRedis } from '../support/services.ts';
import { input, labelInput, send } from '../support/submit.ts';
import { folderOfFile } from '../support/temporary-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const MARKET = 'market_1';
const CORRIDOR = 'JP-KR';
/** Room for some 1,200 locks; the months have 2,000 tables and indexes, 800 of them of transactions. */
const FEW_LOCKS = { max_locks_per_transaction: '14', max_connections: '40' };
const MONTHS = ['--from', '2000-01', '--to', '2008-04'];

const postgres = await openForFile(startTestPostgres({ settings: FEW_LOCKS }));
const redis = await openForFile(startTestRedis());
const folder = folderOfFile();
await migrate({ url: postgres.url, market: 'market_0', corridors: [] });
await migrate({ url: postgres.url, market: MARKET, corridors: [CORRIDOR] });

const environment = () => ({
  ...{ DATABASE_URL: postgres.url, REDIS_URL: redis.url },
  ...{ RISK_MARKET: MARKET, RISK_CORRIDORS: CORRIDOR },
});
const openMarket = () =>
  openPool({
    ...{ url: postgres.url, market: MARKET, role: 'test', connectionsMax: 1 },
    ...{ connectTimeoutMs: 5000, statementTimeoutMs: 60_000, namedStatements: true },
  });

test('payments of now and of long ago are scored, found and labelled, though no statement may lock all months', async () => {
  const made = await runRisk(['partitions', 'create', ...MONTHS], environment());
  expect([made.code, made.stderr]).toEqual([0, expect.stringContaining('300 partitions made')]);
  await using api = await startRunningApi(environment());
  await using worker = spawnRisk(['worker'], { ...environment(), RISK_RECONCILE_AGE_MS: '1000' });
  const ids: string[] = [];
  // Postgres makes a generic plan at the sixth execution on a connection.
  for (let round = 0; round < 12; round++) {
    for (const created_at of [new Date(), new Date(Date.UTC(2000, 1 + round))]) {
      const paid = input({ corridor: CORRIDOR, created_at: created_at.toISOString() });
      const { status, body } = await send(api, 'POST', '/v1/transactions', paid);
      expect([status, JSON.stringify(body)]).toEqual([201, expect.any(String)]);
      ids.push(body.transaction_id);
    }
    const isScored = async (id: string) => (await api.request(`/v1/scores/${id}`)).status === 200;
    for (const id of ids.slice(-2)) await waitUntil(() => isScored(id), 20_000, `a score of ${id}`);
    for (const id of ids.slice(-2)) {
      expect((await api.request(`/v1/transactions/${id}`)).status).toBe(200);
      const label = labelInput({ transaction_id: id });
      const { status } = await send(api, 'POST', '/v1/labels', { labels: [label] });
      expect(status).toBe(200);
    }
  }
  const year = 'from=2000-01-01T00:00:00Z&to=2001-02-01T00:00:00Z';
  const found: unknown[] = [];
  // A page ends where its time is over.
  for (let cursor = ''; found.length < ids.length; ) {
    const path = `/v1/transactions?account_id=acc_17&${year}${cursor}`;
    const { body } = await send(api, 'GET', path);
    found.push(...body.items);
    if (body.next_cursor === null) break;
    cursor = `&cursor=${body.next_cursor}`;
  }
  expect(found).toHaveLength(12);
  const dead = await send(api, 'GET', '/v1/dead-letters');
  expect(dead.body.items).toEqual([]);
  worker.kill('SIGTERM');
  expect((await worker.exited).code).toBe(0);
  // A statement that found no lock was tried again, and nothing else shows it.
  const said = api.log() + worker.stdout() + worker.stderr();
  expect(said.split('\n').filter((line) => line.includes('out of shared memory'))).toEqual([]);
});

test('doctor compares the tables and indexes of the months with the locks of the server', async () => {
  const { stdout } = await runRisk(['doctor', '--json'], environment());
  const findings: { check: string; state: string; detail: string }[] = JSON.parse(stdout);
  expect(findings.find(({ check }) => check === 'month locks')).toEqual({
    check: 'month locks',
    state: 'warn',
    detail: expect.stringMatching(
      /^1\d\d months have 2\d{3} tables and indexes; .* 560 lock slots: raise max_locks_per_transaction/,
    ),
  });
});

test('a statement that wants more locks than there are names the setting', async () => {
  await using holder = openMarket();
  await using asker = openMarket();
  const text = 'select count(*) from market.transactions, market.scores, market.labels';
  const counted = holder.transaction(async (query) => {
    await query({ text });
    await asker.query({ text });
  });
  await expect(counted).rejects.toThrow('raise max_locks_per_transaction');
});

test('a rollback drops more tables than the server has locks', async () => {
  const keyFile = join(folder, 'key');
  await writeFile(keyFile, randomBytes(32).toString('base64'));
  await using database = openMarket();
  await freezeMarket(database);
  await agreeOnRollback(database, MARKET);
  const to = ['--to', join(folder, 'archive'), '--key', keyFile];
  const words = ['archive', 'rollback', MARKET, ...to];
  const done = await runRisk(words, { ...environment(), RISK_MARKET: 'market_0' });
  expect([done.code, done.stderr, done.stdout]).toEqual([
    0,
    expect.any(String),
    expect.stringContaining('is archived in'),
  ]);
  expect(done.stdout).toMatch(/tables=3\d\d /);
});
