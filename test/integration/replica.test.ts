/**
 * Goal: a streaming replica that is paused, stopped, frozen or promoted costs no row and no answer. Method: lists of yesterday
 * and of now are read while a real replica suffers each of these faults.
 */
import { expect, test } from 'vitest';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { openDatabase, openProbe } from '../../src/kit/database/open-database.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { readReplayed, readWritten } from '../../src/kit/database/replica/replica.ts';
import { openReplicas } from '../../src/kit/database/replica/replicas.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import type { ReplicaStatus } from '../../src/kit/words/replica-status.ts';
import { readTransaction } from '../../src/rooms/search/queries/read-transaction.ts';
import { silentLog, testConfig } from '../support/config.ts';
import { freeze } from '../support/freeze.ts';
import { TEST_MARKET } from '../support/global-setup.ts';
import { openForFile } from '../support/open-for-file.ts';
import { DAY_MS, transactions } from '../support/reads.ts';
import { startTestPostgres, startTestStandby } from '../support/services.ts';
import { onServer, PRIMARY_SETTINGS } from '../support/standby.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const PATIENCE_MS = 30_000;
const LAG_MS_MAX = 1000;

const replayedTo = (
  { query }: Database,
  { lsn, system, timeline }: Awaited<ReturnType<typeof readWritten>>,
) => readReplayed(query, lsn, system, timeline);

// The backup that makes a standby of a standby needs full pages.
const settings = { ...PRIMARY_SETTINGS, shared_buffers: '16MB', full_page_writes: 'on' };
const service = await openForFile(startTestPostgres({ settings }));
await migrate({ url: service.url, market: TEST_MARKET, corridors: [] });
const standby = await openForFile(startTestStandby(service.url));
const config = { ...testConfig(), RISK_REPLICA_LAG_MS_MAX: LAG_MS_MAX };
const primary = await openForFile(openDatabase(config, service.url, 'test'));
const probe = await openForFile(openProbe(config, service.url, 'test'));
const options = { config, urls: [standby.url], metrics: createMetrics(), log: silentLog() };
const replica = await openForFile(openReplicas({ ...options, primary: probe, everyMs: 50 }));
const ages: number[] = [];
const databases = { primary, replica, now: Date.now, noteAge: (ms: number) => ages.push(ms) };

/** Stores one transaction of an account of its own, and returns its id. */
async function store(accountId: string, ageMs: number): Promise<string> {
  const [id = ''] = await storeTransactions(primary, [
    { accountId, createdAtMs: Date.now() - ageMs, score: 1 },
  ]);
  return id;
}

/** How many transactions of an account are found, and whether the replica answered. */
async function list(accountId: string, to?: string) {
  ages.length = 0;
  const { items } = await transactions(databases, {
    ...{ account_id: accountId, ...(to === undefined ? {} : { to }) },
  });
  return { found: items.length, byReplica: ages.length > 0 };
}
const listOld = (accountId: string) =>
  list(accountId, new Date(Date.now() - DAY_MS / 2).toISOString());

const untilState = (state: ReplicaStatus['state']) =>
  waitUntil(() => replica.status().state === state, PATIENCE_MS, `the replica to be ${state}`);
const untilUsed = () =>
  waitUntil(async () => (await listOld('old')).byReplica, PATIENCE_MS, 'the replica to answer');

const onStandby = (statement: string) => onServer(standby, statement);
const isPaused = async () =>
  (await onStandby('select pg_get_wal_replay_pause_state()')) === 'paused';

test('the replica answers for older rows, and says how far it may lag', async () => {
  await store('old', DAY_MS);
  await untilUsed();
  expect(ages.every((ageMs) => ageMs > 0)).toBe(true);
  await waitUntil(async () => (await listOld('old')).found === 1, PATIENCE_MS, 'the row');
});

test('a paused replica is not read any more, and until then hides no recent row and none asked for by id', async () => {
  await onStandby('select pg_wal_replay_pause()');
  await waitUntil(isPaused, PATIENCE_MS, 'the replay to pause');
  const old = await store('paused', DAY_MS);
  await store('recent', 0);
  expect(await readTransaction(databases, old, null)).toMatchObject({ account_id: 'paused' });
  expect((await list('recent')).found).toBe(1);
  await untilState('lagging');
  expect(await listOld('paused')).toEqual({ found: 1, byReplica: false });
  expect(replica.status().lag_ms).toBeGreaterThan(LAG_MS_MAX);
  await onStandby('select pg_wal_replay_resume()');
  await untilUsed();
});

test('a stopped replica fails no read', async () => {
  await standby.stop();
  expect(await listOld('old')).toEqual({ found: 1, byReplica: false });
  await untilState('down');
  await standby.start();
  await untilUsed();
});

test('a frozen replica holds no read up', async () => {
  using frozen = freeze(standby);
  expect(await listOld('old')).toEqual({ found: 1, byReplica: false });
  await untilState('down');
  frozen.thaw();
  await untilUsed();
});

test('a promoted replica is not read any more, nor is one that follows it on another timeline', async () => {
  await using follower = await startTestStandby(standby.url);
  await onStandby('select pg_promote()');
  await untilState('down');
  await store('promoted', DAY_MS);
  expect(await listOld('promoted')).toEqual({ found: 1, byReplica: false });
  await using promoted = openProbe(testConfig(), standby.url, 'test');
  await using followed = openProbe(testConfig(), follower.url, 'test');
  // A standby writes the timeline that it follows to disk at its next restartpoint.
  await onStandby('checkpoint');
  const isProven = async () => {
    await onServer(follower, 'checkpoint');
    const { isStandby, isReached } = await replayedTo(followed, await readWritten(promoted.query));
    return isStandby && isReached;
  };
  await waitUntil(isProven, PATIENCE_MS, 'the follower to change timelines');
  const behind = await readWritten(primary.query);
  const isPast = async () =>
    await onServer(follower, `select pg_last_wal_replay_lsn() >= '${behind.lsn}'::pg_lsn`);
  await onStandby('create table written as select generate_series(1, 10000)');
  await waitUntil(async () => (await isPast()) === true, PATIENCE_MS, 'the follower to be ahead');
  expect(await replayedTo(followed, behind)).toEqual({ isStandby: false, isReached: true });
});
