/**
 * Goal: `risk replay` against the real API and worker: the ledger balances, a second replay is all
 * duplicates, a bad row is refused alone. Method: both roles on a database and a Redis of this file.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { featureIndex } from '../../src/core/domain/feature-schema.ts';
import { DAY_MS } from '../../src/kit/words/range.ts';
import { writeSimulation } from '../../src/tools/simulate/command.ts';
import { makeDay, storeScored } from '../support/made-days.ts';
import { openForFile } from '../support/open-for-file.ts';
import { runRisk } from '../support/run-risk.ts';
import { RUNNING_API_KEY, startRunningApi } from '../support/running-api.ts';
import { count } from '../support/submit.ts';
import { folderOfFile } from '../support/temporary-folder.ts';
import { waitUntil } from '../support/wait-until.ts';

const TRANSACTIONS = 600;
const SCORED_MS = 30_000;
/** A night that waited for nothing would have built the table meanwhile. */
const UNSCORED_MS = 3_000;

const folder = folderOfFile();
const api = await openForFile(startRunningApi());
await openForFile(api.startWorker());
const { database, testDatabase } = api;
const databaseUrl = testDatabase.url;
const client: Record<string, string> = { RISK_URL: api.url, RISK_API_KEY: RUNNING_API_KEY };

function replay(args: readonly string[], environment: Record<string, string> = {}) {
  return runRisk(['replay', ...args], { ...client, DATABASE_URL: databaseUrl, ...environment });
}

function ledgerOf(stdout: string): Record<string, number> {
  const fields = (stdout.trimEnd().split('\n').at(-1) ?? '').split(' ');
  expect(fields[0]).toBe('ledger');
  return Object.fromEntries(
    fields.slice(1).map((field) => {
      const [name = '', value] = field.split('=');
      return [name, Number(value)];
    }),
  );
}

const BODY = { merchant_id: 'm', amount: '1.00', currency: 'USD', corridor: 'US-EG' };
const BALANCED = { dead_lettered: 0, pending: 0, lost: 0, doubled: 0 };

test('risk replay: everything accepted is scored once; again, everything is a duplicate', async () => {
  const file = join(folder, 'traffic.ndjson.gz');
  const options = {
    ...{ transactions: TRANSACTIONS, accounts: 150, merchants: 60, days: 20 },
    ...{ endMs: Date.UTC(2026, 10, 10), seed: 'replay', fraudRate: 0.02 },
  };
  const { signal } = new AbortController();
  await writeSimulation(options, { out: file, labels: undefined }, signal);

  const first = await replay([file, '--batch', '200']);
  // A replay of five seconds or more says how far it is.
  expect(first.stderr.replaceAll(/^(read|posted|scoring) .*\n/gm, '')).toBe('');
  const ledger = ledgerOf(first.stdout);
  expect(ledger).toMatchObject({
    accepted: TRANSACTIONS,
    duplicates: 0,
    scored: TRANSACTIONS,
    ...BALANCED,
  });
  expect(ledger['p50_ms']).toBeGreaterThan(0);
  expect(ledger['p99_ms']).toBeGreaterThanOrEqual(ledger['p50_ms'] ?? Infinity);
  expect(first.code).toBe(0);

  const second = await replay([file]);
  expect(ledgerOf(second.stdout)).toMatchObject({
    accepted: 0,
    duplicates: TRANSACTIONS,
    scored: 0,
    ...BALANCED,
  });
  expect(second.code).toBe(0);
});

test('risk replay without DATABASE_URL takes the scored from the status, and says so', async () => {
  const file = join(folder, 'few.ndjson');
  const rows = Array.from({ length: 25 }, (_, row) =>
    JSON.stringify({ ...BODY, account_id: 'a', idempotency_key: `few-${row}` }),
  );
  writeFileSync(file, rows.join('\n'));
  const { code, stdout, stderr } = await replay([file], { DATABASE_URL: '' });
  expect(stderr).toContain('without DATABASE_URL');
  expect(ledgerOf(stdout)).toMatchObject({ accepted: 25, scored: 25, ...BALANCED });
  expect(code).toBe(0);
});

test('risk replay posts two files in order of time, and labels between the days that they lie between', async () => {
  const day = (date: number, hour: number) => new Date(Date.UTC(2026, 9, date, hour)).toISOString();
  const rows = Array.from({ length: 60 }, (_, row) => ({
    ...BODY,
    account_id: 'o',
    idempotency_key: `ordered-${row}`,
    created_at: day(1 + Math.floor(row / 20), row % 20),
  }));
  const write = (name: string, lines: readonly object[]) => {
    const path = join(folder, name);
    writeFileSync(path, lines.map((line) => JSON.stringify(line)).join('\n'));
    return path;
  };
  const odd = rows.filter((_, row) => row % 2 === 1).toReversed();
  const files = [
    write('odd.ndjson', odd),
    write(
      'even.ndjson',
      rows.filter((_, row) => row % 2 === 0),
    ),
  ];
  const labels = write('labels.ndjson', [
    { key: 'ordered-3', is_fraud: 1, created_at: day(1, 3) },
    { key: 'never posted', is_fraud: 0, created_at: day(1, 3) },
  ]);
  const { code, stdout, stderr } = await replay([
    ...[...files, '--labels', labels, '--batch', '7', '--connections', '1'],
    ...['--labels-map', 'idempotency_key=key,label=is_fraud', '--labels-set', 'source=bank'],
    ...['--labelled-after', '1d'],
  ]);
  expect(ledgerOf(stdout)).toMatchObject({ accepted: 60, scored: 60, ...BALANCED });
  expect(stdout).toContain('labels accepted=1 unchanged=0\n');
  expect(stderr).toMatch(/labels\.ndjson line 2: .*idempotency_key/);
  expect(code).toBe(1);
  const [order] = await database.query<{ inOrder: boolean; between: boolean }>({
    text: `
    select bool_and(earlier is null or earlier <= received_at) as "inOrder",
      bool_and((created_at < '2026-10-03') = (received_at <= labelled)) as between
    from (
      select t.created_at, t.received_at, lag(t.received_at) over (order by t.created_at) as earlier,
        (select max(l.received_at) from market.labels l) as labelled
      from market.transactions t where t.account_id = 'o'
    ) rows`,
  });
  expect(order).toEqual({ inOrder: true, between: true });
  const tables = await database.query<{ payments: number; before: number; misjudged: number }>({
    text: `
    select c.payments::int as payments,
      (select count(*)::int from market.scores where created_at < c.day) as before,
      (select count(*)::int from market.scores s where s.account_id = 'o' and s.scorecard <> c.serial
          and s.created_at >= c.day and s.created_at < c.day + 1) as misjudged
    from market.scorecards c order by c.day`,
  });
  expect(tables).toHaveLength(2);
  for (const { payments, before, misjudged } of tables) {
    expect([payments, misjudged]).toEqual([before, 0]);
  }
  const again = await replay([...files, '--labels', labels, '--labels-map', 'idempotency_key=key']);
  expect(ledgerOf(again.stdout)).toMatchObject({ accepted: 0, duplicates: 60 });
});

test('the table of a day is built once all before the day is scored', async () => {
  await using own = await startRunningApi();
  const rows = Array.from({ length: 40 }, (_, row) => ({
    ...{ ...BODY, account_id: 'w', idempotency_key: `waited-${row}` },
    created_at: new Date(Date.UTC(2026, 8, 1 + Math.floor(row / 20), row % 20)).toISOString(),
  }));
  const file = join(folder, 'waited.ndjson');
  writeFileSync(file, rows.map((line) => JSON.stringify(line)).join('\n'));
  const label = { idempotency_key: 'waited-1', label: 'fraud', source: 'bank' };
  const labels = join(folder, 'waited-labels.ndjson');
  writeFileSync(labels, JSON.stringify({ ...label, labelled_at: '2026-09-01T09:00:00Z' }));
  const replaying = runRisk(['replay', file, '--labels', labels], {
    ...{ RISK_URL: own.url, RISK_API_KEY: RUNNING_API_KEY, DATABASE_URL: own.testDatabase.url },
  });
  const stored = () => count(own, 'transactions');
  await waitUntil(async () => (await stored()) === 20, SCORED_MS, 'the first day');
  await sleep(UNSCORED_MS);
  expect([await stored(), await count(own, 'scorecards')]).toEqual([20, 0]);
  await using _worker = own.startWorker();
  expect(ledgerOf((await replaying).stdout)).toMatchObject({ scored: 40, ...BALANCED });
  const payments = await own.testDatabase.sql(`select payments::int from scorecards order by day`);
  expect(payments).toEqual([{ payments: 20 }]);
});

test('amounts of a replay are compared with those of their corridor by the tables between its days', async () => {
  await using own = await startRunningApi();
  await using _worker = own.startWorker();
  // A table compares from 10,000 amounts of a corridor on.
  await storeScored(own.database, makeDay(Date.UTC(2026, 8, 9) / DAY_MS, 10_000));
  const rows = [10, 11].map((date) => ({
    ...{ ...BODY, amount: '1000.00', account_id: 'high', idempotency_key: `high-${date}` },
    created_at: new Date(Date.UTC(2026, 8, date, 12)).toISOString(),
  }));
  const [file, labels] = [join(folder, 'high.ndjson'), join(folder, 'high-labels.ndjson')];
  writeFileSync(file, rows.map((line) => JSON.stringify(line)).join('\n'));
  const label = { idempotency_key: 'high-10', label: 'fraud', source: 'bank' };
  writeFileSync(labels, JSON.stringify({ ...label, labelled_at: '2026-09-10T20:00:00Z' }));
  const { code, stderr } = await runRisk(['replay', file, '--labels', labels], {
    ...{ RISK_URL: own.url, RISK_API_KEY: RUNNING_API_KEY, DATABASE_URL: own.testDatabase.url },
  });
  expect(code, stderr).toBe(0);
  const ratios = await own.testDatabase.sql<{ ratio: number }>(
    `select feature_value(features, ${featureIndex('amount_to_corridor') + 1}) as ratio from scores
      where account_id = 'high' order by created_at`,
  );
  expect(ratios.every(({ ratio }) => ratio > 9 && ratio < 11)).toBe(true);
  expect(ratios).toHaveLength(2);
});
