/**
 * Goal: whatever happens to trainers, and whatever is stored beside them, a day has one table of what was known when its night began, or
 * none. Method: processes of trainers, stopped at locks of Postgres, without any Redis.
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { buildTable, makeNight } from '../../../src/core/repair/night/build-table.ts';
import { hashTable } from '../../../src/core/score/scorecard/table-bytes.ts';
import { findHead } from '../../../src/core/store/scorecards/scorecards.ts';
import type { Night } from '../../../src/core/store/scorecards/write-night.ts';
import { answerWithin } from '../../../src/kit/process/settles-within.ts';
import { openTestDatabase } from '../../support/database.ts';
import { holdOpen } from '../../support/hold-open.ts';
import { makeDay, nightOf, storeKnown, storeLabelled } from '../../support/made-days.ts';
import { childEnvironment, watch } from '../../support/risk.ts';
import { waitUntil } from '../../support/wait-until.ts';

const [FIRST, LAST] = [20_615, 20_630];
const { testDatabase, database } = await openTestDatabase();

for (let day = FIRST; day < LAST; day++) {
  const made = makeDay(day, 60);
  await storeLabelled(database, made);
}
await buildTable(database, nightOf(LAST - 1));

const PROGRAM = fileURLToPath(new URL('../../support/start-trainer.ts', import.meta.url));
const SETTINGS = JSON.stringify({
  ...{ DATABASE_URL: testDatabase.url, RISK_MARKET: testDatabase.market },
  RISK_LABEL_MATURITY_DAYS: '7',
});
const startTrainer = () =>
  watch(
    spawn(process.execPath, [PROGRAM, String(LAST), SETTINGS], {
      ...{ cwd: '/', env: childEnvironment({}) },
    }),
  );

/** Sessions of nights that wait for a lock, or of trainers. */
const countSessions = async (where = '') =>
  (
    await testDatabase.sql(
      `select from pg_stat_activity where datname = current_database() and application_name = 'risk-trainer'${where}`,
    )
  ).length;
const countWaiting = () => countSessions(` and wait_event_type = 'Lock'`);
const sessionsEnd = () =>
  waitUntil(async () => (await countSessions()) === 0, 10_000, 'the end of its sessions');

/** Starts a trainer while a table is locked, and returns once its night waits for the lock. */
async function startBehind(lock: string) {
  const { letGo } = await holdOpen(database, `lock table market.${lock}`);
  const trainer = startTrainer();
  const isWaiting = async () => {
    if (trainer.hasExited()) throw new Error(trainer.stderr());
    return (await countWaiting()) === 1;
  };
  await waitUntil(isWaiting, 20_000, 'a night that waits');
  return { trainer, letGo };
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
const undisturbed = await contentOf(await makeNight(database, nightOf(LAST)));

test.each([
  ['computes', 'labels in access exclusive mode'],
  ['writes', 'scorecard_rows in share mode'],
])('a trainer that is killed while its night %s leaves nothing', async (_, lock) => {
  const before = await stored();
  const { trainer, letGo } = await startBehind(lock);
  await using _trainer = trainer;
  const [, stat = ''] = readFileSync(`/proc/${trainer.pid}/stat`, 'utf8').split(') ');
  expect(stat.split(' ')[16]).toBe('10');
  trainer.kill('SIGKILL');
  await trainer.exited;
  await letGo();
  await sessionsEnd();
  expect(await stored()).toEqual(before);
});

test('SIGTERM ends a trainer in the midst of a night, which stores nothing', async () => {
  const before = await stored();
  const { trainer, letGo } = await startBehind('labels in access exclusive mode');
  await using _trainer = trainer;
  trainer.kill('SIGTERM');
  expect(await answerWithin(trainer.exited, 5000)).toEqual({ code: 0, signal: null });
  await letGo();
  await sessionsEnd();
  expect(await stored()).toEqual(before);
});

test('of two trainers one builds, the other one follows a kill -9, and labels beside them change nothing', async () => {
  const { trainer: first, letGo } = await startBehind('exchange_rates in access exclusive mode');
  await using _first = first;
  await using second = startTrainer();
  await second.waitFor(/trainer starts/, 20_000);
  // Twenty looks of the second.
  await delay(1000);
  expect(await countWaiting()).toBe(1);
  first.kill('SIGKILL');
  await first.exited;
  // The night of the first waits until it is let go.
  await waitUntil(async () => (await countWaiting()) === 2, 20_000, 'the night of the second');
  // All are known before the day, and are stored after both nights began.
  const late = makeDay(FIRST + 3, 60).map((payment) => ({ ...payment, isFraud: true }));
  await storeKnown(database, late, 4);
  await letGo();
  const head = await waitUntil(() => findHead(database.query, LAST), 20_000, 'a table');
  second.kill('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });
  expect(second.stderr()).not.toContain('failed');
  const rows = await testDatabase.sql(
    `select transaction_id as id, share, log_odds as "logOdds", label_log_odds as "labelLogOdds", encode(buckets, 'hex') as buckets
       from scorecard_rows
      where transaction_id = any ($1) order by transaction_id`,
    [undisturbed.rows.map(({ id }) => id)],
  );
  expect({ sha256: head?.sha256, rows }).toEqual(undisturbed);
  const { table } = await makeNight(database, nightOf(LAST + 1));
  expect(table.learnt.knownFrauds).toBeGreaterThan((head?.frauds ?? 0) + 40);
});
