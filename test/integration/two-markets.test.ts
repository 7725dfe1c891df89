/**
 * Goal: two markets of one database, and one role, never see or wait for each other. Method: a market is made, migrated and
 * dropped while another works on connections that it opens meanwhile; `npm run setups -- two-markets` does so under load.
 */
import { expect, test } from 'vitest';
import { ensurePartitions, lockPartitions } from '../../src/core/store/partitions/partitions.ts';
import { listCorridors } from '../../src/core/store/transactions/transactions.ts';
import { migrate } from '../../src/kit/database/migrations/migrate.ts';
import { alone, connected } from '../../src/kit/database/migrations/migration-session.ts';
import type { PoolOptions } from '../../src/kit/database/pool.ts';
import { createLeadership } from '../../src/kit/duties/leadership.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { openForFile } from '../support/open-for-file.ts';
import { runRisk } from '../support/run-risk.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

const OTHER = 'market_1';
const ALONE_MS = 5000;

const rig = await openForFile(createWorkerRig());

const migrateMarket = (market: string, corridors: readonly string[] = []) =>
  migrate({ url: rig.database.url, market, corridors });
const openMarket = (market: string, options: Partial<PoolOptions> = {}) =>
  rig.database.open({ ...options, market, lockTimeoutMs: ALONE_MS });

test('one makes its months, leads its duties and migrates while another does', async () => {
  await migrateMarket(OTHER);
  await using ours = openMarket('market_0');
  await using others = openMarket(OTHER);
  const months = [monthOf(Date.UTC(2003, 4))];
  const isDone = { months: false, duty: false, migration: false };
  await ours.transaction(async (query) => {
    await lockPartitions(query);
    await ensurePartitions(others, months);
    isDone.months = true;
  });
  await using first = createLeadership(ours, 'first');
  await using second = createLeadership(others, 'second');
  await first.of('care').run(async () => {
    isDone.duty = await second.of('care').run(async () => {});
  });
  const options = { url: rig.database.url, market: 'market_0' };
  await connected(options, (client) =>
    alone(client, options, 'test', async () => {
      await migrateMarket(OTHER);
      isDone.migration = true;
    }),
  );
  expect(isDone).toEqual({ months: true, duty: true, migration: true });
});

test('a corridor is in one market; that of a dropped one is free', async () => {
  await migrateMarket(OTHER, ['JP-KR']);
  await using ours = openMarket('market_0');
  await using others = openMarket(OTHER);
  expect(await listCorridors(others)).toEqual(['JP-KR']);
  expect(await listCorridors(ours)).toContain('US-EG');
  expect(await listCorridors(ours)).not.toContain('JP-KR');
  const { code, stderr } = await runRisk(['migrate'], {
    ...{ DATABASE_URL: rig.database.url, RISK_MARKET: OTHER, RISK_CORRIDORS: 'US-EG,KR-JP' },
  });
  expect({ code, stderr }).toEqual({
    ...{ code: 78, stderr: expect.stringContaining('US-EG is a corridor of market_0') },
  });
  expect(await listCorridors(others)).toEqual(['JP-KR']);
  await rig.database.sql(`drop schema ${OTHER} cascade`);
  await migrateMarket('market_0', ['JP-KR']);
  expect(await listCorridors(ours)).toContain('JP-KR');
});
