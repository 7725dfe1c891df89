/**
 * Goal: a migration that stood still does nothing to a market that another command has migrated and opened. Method: a process is
 * stopped amid its rewriting, and goes on behind the other command.
 */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { spawnRisk } from '../../../support/risk.ts';
import { makePrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { input, postOne } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const TEST_MS = 60_000;
const folder = await openForFile(makePrivacyFolder());
const api = await openForFile(startRunningApi(folder.settings));

test(
  'a migration that stood still removes no key of the open market',
  async () => {
    const environment = {
      DATABASE_URL: api.testDatabase.url,
      REDIS_URL: api.redisService.url,
      ...folder.settings,
    };
    const words = ['privacy', 'migrate', 'account_id', '--reason', 'a test'];
    await using still = spawnRisk(words, {
      ...environment,
      RISK_TEST_FAILPOINT: 'privacy-step:2:SIGSTOP',
    });
    const [rewriting] = await waitUntil(
      async () => {
        const rows = await api.testDatabase.sql(
          `select from personal_migrations where step = 'rewrite' and progress <> '{}'`,
        );
        return rows.length > 0 ? rows : undefined;
      },
      10_000,
      'the first batch',
    );
    expect(rewriting).toBeDefined();
    const other = await runRisk(['privacy', 'migrate'], environment);
    expect([other.code, other.stderr]).toEqual([0, expect.any(String)]);
    await waitUntil(async () => (await postOne(api, input())).status === 201, 5000, 'a payment');
    // The stream has the payment, which no worker has scored.
    const streams = async () => {
      const names = (await api.redis.keys('*market_0:*')).sort();
      const types = await Promise.all(names.map((name) => api.redis.type(name)));
      return names.filter((_, nth) => types[nth] === 'stream');
    };
    const before = await streams();
    expect(before).not.toEqual([]);
    still.kill('SIGCONT');
    const { code } = await still.exited;
    expect(await streams()).toEqual(before);
    expect([code, still.stderr()]).toEqual([1, expect.stringContaining('another command')]);
  },
  TEST_MS,
);
