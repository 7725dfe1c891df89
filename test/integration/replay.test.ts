/**
 * Goal: `risk replay` against the real API and worker: the ledger balances, a second replay is all
 * duplicates, a bad row is refused alone. Method: both roles on a database and a Redis of this file.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeSimulation } from '../../src/tools/simulate/command.ts';
import { runRisk } from '../support/run-risk.ts';
import { RUNNING_API_KEY, startRunningApi } from '../support/running-api.ts';

const TRANSACTIONS = 3_000;
const owned = new AsyncDisposableStack();
let folder: string;
let client: Record<string, string>;
let databaseUrl: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
  owned.defer(() => rmSync(folder, { recursive: true }));
  const api = owned.use(await startRunningApi());
  owned.use(api.startWorker());
  databaseUrl = api.testDatabase.url;
  client = { RISK_URL: api.url, RISK_API_KEY: RUNNING_API_KEY };
});
afterAll(async () => {
  await owned.disposeAsync();
});

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

const BALANCED = { dead_lettered: 0, pending: 0, lost: 0, doubled: 0 };

test('risk replay: everything accepted is scored once; again, everything is a duplicate', async () => {
  const file = join(folder, 'traffic.ndjson.gz');
  const options = {
    ...{ transactions: TRANSACTIONS, accounts: 150, merchants: 60, days: 40 },
    ...{ endMs: Date.UTC(2026, 10, 10), seed: 'replay', fraudRate: 0.02 },
  };
  const { signal } = new AbortController();
  await writeSimulation(options, { out: file, labels: undefined }, signal);

  const first = await replay([file, '--batch', '200']);
  // A replay of five seconds or more says how far it is.
  expect(first.stderr.replaceAll(/^(posted|scoring) .*\n/gm, '')).toBe('');
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
  const body = {
    account_id: 'a',
    merchant_id: 'm',
    amount: '1.00',
    currency: 'USD',
    corridor: 'US-EG',
  };
  const rows = Array.from({ length: 25 }, (_, row) =>
    JSON.stringify({ ...body, idempotency_key: `few-${row}` }),
  );
  writeFileSync(file, rows.join('\n'));
  const { code, stdout, stderr } = await replay([file], { DATABASE_URL: '' });
  expect(stderr).toContain('without DATABASE_URL');
  expect(ledgerOf(stdout)).toMatchObject({ accepted: 25, scored: 25, ...BALANCED });
  expect(code).toBe(0);
});
