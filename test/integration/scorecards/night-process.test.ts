/**
 * Goal: whatever happens to the process of a night, and whatever is stored beside it, a day has one table of what was known when the
 * night began, or none. Method: the process that a worker starts, stopped at locks of Postgres, without any Redis.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { buildTable, makeNight } from '../../../src/core/repair/night/build-table.ts';
import { NIGHT } from '../../../src/core/repair/night-duty.ts';
import { hashTable } from '../../../src/core/score/scorecard/table-bytes.ts';
import { findHead } from '../../../src/core/store/scorecards/scorecards.ts';
import type { Night } from '../../../src/core/store/scorecards/write-night.ts';
import { spawnAside } from '../../../src/main/spawn-aside.ts';
import { testConfig } from '../../support/config.ts';
import { openTestDatabase } from '../../support/database.ts';
import { holdOpen } from '../../support/hold-open.ts';
import { makeDay, makeDays, storeKnown, storeScored } from '../../support/made-days.ts';
import { childEnvironment } from '../../support/risk.ts';
import { waitUntil } from '../../support/wait-until.ts';

const [FIRST, LAST] = [20_615, 20_630];
const MATURITY_DAYS = 7;
const signal = new AbortController().signal;
const { testDatabase, database } = await openTestDatabase();

const made = makeDays(FIRST, LAST - FIRST, 60);
await storeScored(database, made);
await storeKnown(database, made, 3);
const optionsOf = (day: number) => ({ day, maturityDays: MATURITY_DAYS, signal });
await buildTable(database, {
  ...optionsOf(LAST - 1),
  by: { name: 'Cy', keyId: null, request: 'test' },
});

const runAside = spawnAside({
  config: testConfig({
    ...{ DATABASE_URL: testDatabase.url, RISK_MARKET: testDatabase.market },
    ...{ REDIS_URL: 'redis://127.0.0.1:1', RISK_LABEL_MATURITY_DAYS: String(MATURITY_DAYS) },
  }),
  environment: childEnvironment({}),
});

/** Processes of nights that this one has started. */
const nights = () =>
  readdirSync('/proc/self/task')
    .flatMap((task) => readFileSync(`/proc/self/task/${task}/children`, 'utf8').trim().split(' '))
    .filter(
      (pid) => pid !== '' && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('aside.ts'),
    );

const sessions = `select from pg_stat_activity where datname = current_database() and application_name = 'risk-night'`;
const countSessions = async (where = '') => (await testDatabase.sql(sessions + where)).length;

/** Starts nights while a table is locked, and returns once each of them waits for a lock. */
async function startBehind(lock: string, count = 1) {
  const held = await holdOpen(database, `lock table market.${lock}`);
  const said: string[] = [];
  const ended = Array.from({ length: count }, async () => {
    said.push(await runAside(NIGHT, LAST, signal).then(() => 'built', String));
    return said.at(-1);
  });
  const isWaiting = async () => {
    if (said.length > 0) throw new Error(said.join());
    return (await countSessions(` and wait_event_type = 'Lock'`)) === count;
  };
  await waitUntil(isWaiting, 20_000, 'nights that wait');
  return { ended, letGo: held.letGo };
}

/** Everything that a night stores, but for the order in time. */
const stored = async () =>
  await testDatabase.sql(
    `select (select count(*)::int from scorecards) as tables, (select md5(string_agg(d::text, ' ' order by day)) from scorecard_days d) as days,
            (select md5(string_agg(r::text, ' ' order by transaction_id)) from scorecard_rows r) as rows,
            (select count(*)::int from audit_log where action = 'scorecard.build') as lines`,
  );

const contentOf = async (night: Night) => {
  const rows = [];
  for await (const page of night.rows.read(database.query))
    for (const { id, share, logOdds, labelLogOdds, buckets } of page) {
      const hex = Buffer.from(buckets).toString('hex');
      rows.push({ id, share, logOdds, labelLogOdds, buckets: hex });
    }
  return { sha256: hashTable(night.bytes), rows };
};
const undisturbed = await contentOf(await makeNight(database, optionsOf(LAST)));

test.each([
  ['computes', 'labels in access exclusive mode'],
  ['writes', 'scorecard_rows in share mode'],
])('a night that is killed while it %s leaves nothing', async (_, lock) => {
  const before = await stored();
  const { ended, letGo } = await startBehind(lock);
  const [pid] = nights();
  expect(readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[16]).toBe('10');
  process.kill(Number(pid), 'SIGKILL');
  expect(await Promise.all(ended)).toEqual([expect.stringContaining('SIGKILL')]);
  await letGo();
  await waitUntil(async () => (await countSessions()) === 0, 10_000, 'the end of its session');
  expect(await stored()).toEqual(before);
});

test('a worker that stops ends its night', async () => {
  const before = await stored();
  const stop = new AbortController();
  const held = await holdOpen(database, 'lock table market.labels in access exclusive mode');
  const ended = runAside(NIGHT, LAST, stop.signal);
  await waitUntil(async () => (await countSessions()) === 1, 20_000, 'a night');
  stop.abort();
  expect(await ended).toBeUndefined();
  await held.letGo();
  await waitUntil(async () => (await countSessions()) === 0, 10_000, 'the end of its session');
  expect(await stored()).toEqual(before);
});

test('two nights of a day after all that, and labels beside them, give the table of an undisturbed one', async () => {
  const { ended, letGo } = await startBehind('exchange_rates in access exclusive mode', 2);
  // All are known before the day, and are stored after both nights began.
  const late = makeDay(FIRST + 3, 60).map((payment) => ({ ...payment, isFraud: true }));
  await storeKnown(database, late, 4);
  await letGo();
  const [lost = '', won] = (await Promise.all(ended)).sort();
  expect(won).toBe('built');
  expect(lost).toContain('2026-06-26 has a table');
  const head = await findHead(database.query, LAST);
  const rows = await testDatabase.sql(
    `select transaction_id as id, share, log_odds as "logOdds", label_log_odds as "labelLogOdds", encode(buckets, 'hex') as buckets
       from scorecard_rows where transaction_id = any ($1) order by transaction_id`,
    [undisturbed.rows.map(({ id }) => id)],
  );
  expect({ sha256: head?.sha256, rows }).toEqual(undisturbed);
  const { table } = await makeNight(database, optionsOf(LAST + 1));
  expect(table.learnt.knownFrauds).toBeGreaterThan((head?.frauds ?? 0) + 40);
});
