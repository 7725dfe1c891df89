/** Goal: a backtest reads from the replica where there is one, and gives the same bytes. Method: a real streaming replica. */
import { expect, test } from 'vitest';
import { NO_MODELS } from '../../../../src/core/score/judge.ts';
import { migrate } from '../../../../src/kit/database/migrations/migrate.ts';
import { openDatabase } from '../../../../src/kit/database/open-database.ts';
import { createLeadership } from '../../../../src/kit/duties/leadership.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { openBacktests } from '../../../../src/rooms/backtest/duty.ts';
import { requestBacktest } from '../../../../src/rooms/backtest/request.ts';
import { listBacktests } from '../../../../src/rooms/backtest/store/backtests.ts';
import { silentLog, testConfig } from '../../../support/config.ts';
import { TEST_MARKET } from '../../../support/global-setup.ts';
import { storeHistory, WINDOW } from '../../../support/rooms/backtest/rig.ts';
import { startTestPostgres, startTestStandby } from '../../../support/services.ts';
import { PRIMARY_SETTINGS } from '../../../support/standby.ts';

test('pages come from the replica once it is proven', async () => {
  await using service = await startTestPostgres({ settings: PRIMARY_SETTINGS });
  await migrate({ url: service.url, market: TEST_MARKET, corridors: [] });
  await using follower = await startTestStandby(service.url);
  await using database = openDatabase(testConfig(), service.url, 'test');
  await storeHistory(database);
  await database.query({
    text: `insert into market.api_keys (key_id, key_hash, roles, owner) values ('k', decode(repeat('00', 32), 'hex'), '{analyst}', 'test')`,
  });
  await using leadership = createLeadership(database, 'test');
  const metrics = createMetrics();
  const log = silentLog();
  const readsOf = async (name: string) =>
    (await metrics.reads.get()).values.filter(({ labels }) => labels.database === name).length;
  const openModels = async () => NO_MODELS;
  const databases = { primary: database, replica: null, now: Date.now };
  const by = { name: 'Ann', keyId: 'k', request: 'test' };
  const run = async (config = testConfig()) => {
    await requestBacktest(
      { databases, models: NO_MODELS },
      { ...WINDOW, rule_set: 'default@4' },
      by,
    );
    const worker = { config, database, leadership, metrics, log, openModels };
    const { duties } = await openBacktests(worker);
    await duties[0]?.run(new AbortController().signal);
  };
  await run();
  expect(await readsOf('replica')).toBe(0);
  await run(testConfig({ DATABASE_REPLICA_URL: follower.url }));
  expect(await readsOf('replica')).toBeGreaterThan(0);
  const [one, other] = await listBacktests(database.query, 2);
  expect(one).toMatchObject({ state: 'done', report_sha256: other?.report_sha256 });
});
