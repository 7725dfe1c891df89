/**
 * Goal: exports over HTTP are few at a time, slow or absent readers hold nothing, each is in the audit log, and the command goes on
 * after a cut. Method: an API process with more rows than all buffers between it and a reader hold; readers that stop or go away.
 */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import http from 'node:http';
import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { beforeEach, describe, expect, test } from 'vitest';
import { holdOpen } from '../../../support/hold-open.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { runRiskProcess } from '../../../support/risk.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { RUNNING_API_KEY, startRunningApi } from '../../../support/running-api.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';
import { answerOf } from '../../../support/submit.ts';
import { startTcpProxy } from '../../../support/tcp-proxy.ts';
import { folderOfFile } from '../../../support/temporary-folder.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const NOW = Date.now();
const ROWS = 4_000;
/** Makes rows heavy, so that all of them are more than any buffer holds. */
const NOTE_CHARS = 8_000;
/** More than a busy machine keeps a reader of this process from reading. */
const IDLE_MS = 6_000;
const PATIENCE_MS = 30_000;
/** A transfer that nobody reads ends within IDLE_MS. */
const ENDS_MS_MAX = 15_000;
const EXPORTS_MAX = 2;

const folder = folderOfFile();
const api = await openForFile(
  startRunningApi({
    RISK_EXPORTS_MAX: `${EXPORTS_MAX}`,
    RISK_EXPORT_IDLE_MS: `${IDLE_MS}`,
  }),
);
await storeTransactions(api.database, [{ id: idAt(NOW, 1), createdAtMs: NOW, score: 900 }]);
await api.testDatabase.sql(
  `insert into transactions (client, transaction_id, created_at, received_at, account_id, merchant_id, corridor, amount, currency, metadata)
   select 'default', (lpad(to_hex(at), 12, '0') || '70008000' || lpad(to_hex(n), 12, '0'))::uuid, to_timestamp(at / 1000.0), now(),
          'acc_2', 'm_2', 'US-EG', 1, 'USD', jsonb_build_object('note', repeat('x', $3))
     from generate_series(1, $2::int) n, lateral (select $1::bigint - 60000 as at) times`,
  [NOW, ROWS - 1, NOTE_CHARS],
);
await api.testDatabase.sql('analyze transactions');

type AuditRow = { action: string; subject: string; who: string; after: Record<string, unknown> };
const audit = () =>
  api.testDatabase.sql<AuditRow>(
    `select action, subject, who, after from audit_log where action like 'export.%' order by audit_id`,
  );
let before = 0;
beforeEach(async () => {
  before = (await audit()).length;
});
const fresh = async () => (await audit()).slice(before);
/** Begins or ends of this test. */
const count = async (action: string) =>
  (await fresh()).filter((row) => row.action === action).length;
const ends = () => count('export.end');

const from = new Date(NOW - 120_000).toISOString();
const path = (query: string) => `/v1/exports/transactions?from=${from}&${query}`;

/** A reader that has read nothing but the head. */
async function begin(query: string, key = RUNNING_API_KEY): Promise<http.IncomingMessage> {
  const headers = { authorization: `Bearer ${key}` };
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  http.get(`${api.url}${path(query)}`, { headers, agent: false }, resolve).on('error', reject);
  const response = await promise;
  response.on('error', () => undefined);
  return response;
}

const exportConnections = () =>
  api.testDatabase.sql<{ state: string }>(
    `select state from pg_stat_activity where application_name = 'risk-api-exports' and datname = current_database()`,
  );
describe('exports over HTTP', () => {
  test('a whole export has all rows and both its rows in the audit log', async () => {
    const response = await api.request(path('format=ndjson&order=asc'));
    expect(response.headers.get('content-disposition')).toBe(
      'attachment; filename="transactions.ndjson"',
    );
    const text = await response.text();
    expect(JSON.parse(text.trimEnd().split('\n').at(-1) ?? '')).toEqual({ done: true, rows: ROWS });
    await waitUntil(async () => (await fresh()).length === 2, PATIENCE_MS, 'the end of the export');
    const [begun, end] = await fresh();
    expect(begun?.after).toEqual({ question: { format: 'ndjson', order: 'asc', from } });
    expect(end?.after).toEqual({ outcome: 'complete', rows: ROWS });
    expect(begun?.subject).toBe(end?.subject);
  });

  test('columns are chosen, and the id is always one', async () => {
    const scored = 'status=scored&fields=score,account_id';
    const csv = await (await api.request(path(`format=csv&${scored}`))).text();
    expect(csv.split('\r\n')).toEqual([
      'transaction_id,account_id,score',
      expect.stringMatching(new RegExp(`^${idAt(NOW, 1)},[^,]+,900$`)),
      '',
    ]);
    const file = await (await api.request(path(`format=parquet&${scored}`))).arrayBuffer();
    const [row] = await parquetReadObjects({ file });
    expect(Object.keys(row ?? {})).toEqual(['transaction_id', 'account_id', 'score']);
    await waitUntil(async () => (await ends()) === 2, PATIENCE_MS, 'the ends in the audit log');
    const refused = await api.request(path('format=csv&fields=score,scores'));
    expect([refused.status, await refused.text()]).toEqual([
      422,
      expect.stringMatching(/, not 'scores': transaction_id, /),
    ]);
  });

  test('a reader that stops holds no connection, and is broken off', async () => {
    const response = await begin('format=ndjson');
    expect(response.statusCode).toBe(200);
    await waitUntil(() => response.readableLength > 0, 5_000, 'first rows');
    await waitUntil(
      async () => (await exportConnections()).every(({ state }) => state === 'idle'),
      5_000,
      'the connection to be free',
    );
    await waitUntil(async () => (await fresh()).length === 2, PATIENCE_MS, 'the export to end');
    const { outcome, rows } = (await fresh())[1]?.after ?? {};
    expect(outcome).toBe('broken_off');
    // Rows that the client had not taken were not read either.
    expect(rows).toBeGreaterThan(0);
    expect(rows).toBeLessThan(ROWS * 0.8);
    await expect(
      (async () => {
        for await (const _ of response);
      })(),
    ).rejects.toThrow('aborted');
  });

  test('the end of an export waits for a Postgres that is away', async () => {
    const reader = await begin('format=csv');
    await using held = await holdOpen(api.database, 'lock table market.audit_log in share mode');
    reader.destroy();
    const endSessions = () =>
      api.testDatabase.sql(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where application_name = 'risk-api-exports' and datname = current_database() and wait_event_type = 'Lock'`,
      );
    await waitUntil(async () => (await endSessions()).length > 0, PATIENCE_MS, 'the end to wait');
    await held.letGo();
    await waitUntil(async () => (await ends()) === 1, PATIENCE_MS, 'the end in the audit log');
  });

  test('an export ends with its key', async () => {
    const made = await api.post('/v1/keys', { roles: ['analyst'], owner: 'x' });
    const { key, key_id: id } = (await answerOf(made)).body;
    const response = await begin('format=ndjson', key);
    await api.request(`/v1/keys/${id}`, { method: 'DELETE' });
    const headers = { Authorization: `Bearer ${key}` };
    const isRefused = async () => (await api.request('/v1/me', { headers })).status === 401;
    await waitUntil(isRefused, 1000, 'the end of the key');
    response.resume();
    await waitUntil(async () => (await ends()) === 1, IDLE_MS / 2, 'the export to end');
    expect((await fresh())[1]?.after['outcome']).toBe('broken_off');
  });

  test('more than may run are refused, until one ends', async () => {
    const readers = await Promise.all([begin('format=csv'), begin('format=csv')]);
    const refused = await api.request(path('format=csv'));
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toBe('10');
    expect(await refused.json()).toMatchObject({ type: 'urn:risk:problem:overloaded' });
    readers[0]?.destroy();
    // The other one may be broken off meanwhile, as nobody reads it.
    await waitUntil(async () => (await ends()) > 0, PATIENCE_MS, 'one to end');
    // A busy machine may refuse a request for another reason.
    const again = await waitUntil(
      async () => {
        const reader = await begin('format=csv');
        if (reader.statusCode === 200) return reader;
        reader.destroy();
        return undefined;
      },
      PATIENCE_MS,
      'a place',
    );
    for (const reader of [...readers, again]) reader.destroy();
    await waitUntil(async () => (await ends()) === 3, PATIENCE_MS, 'all to end');
  });

  test.each([
    'format=xml',
    `after=${'0'.repeat(36)}`,
    'sort=score',
    'min_amount=1',
    'from=2026-11-15&to=2026-11-15',
  ])('%s is refused', async (query) => {
    const response = await api.request(`/v1/exports/transactions?${query}`);
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({ type: 'urn:risk:problem:invalid-fields' });
    expect(await fresh()).toEqual([]);
  });
});

describe('risk export', () => {
  const risk = (url: string, ...args: string[]) =>
    runRisk(['export', '--from', from, ...args], { RISK_URL: url, RISK_API_KEY: RUNNING_API_KEY });
  const ids = (text: string) =>
    (
      text.match(/^(?:\{"transaction_id":")?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gm) ?? []
    ).map((match) => match.slice(-36));

  const partial = async () => (await readdir(folder)).find((file) => file.endsWith('.partial'));

  /** A packed answer has more than 30,000 here. */
  const PART_BYTES = 20_000;

  test.each(['csv', 'ndjson'])('a transfer of %s that is cut goes on', async (format) => {
    await using proxy = await startTcpProxy(api.url);
    proxy.inflict({ kind: 'reset', afterBytes: PART_BYTES });
    // A second try beside a first one that goes on would write the same file.
    const output = join(folder, `cut-${Date.now()}.${format}`);
    const { code, stdout, stderr } = await risk(proxy.url, '--output', output, '--format', format);
    expect(`${code} ${stdout}`, stderr).toMatch(new RegExp(`^0 exported rows=${ROWS} `));
    const found = ids(await readFile(output, 'utf8'));
    expect(found).toHaveLength(ROWS);
    expect(new Set(found).size).toBe(ROWS);
    expect(await partial()).toBeUndefined();
    expect(proxy.effects()).toBe(1);
    // A machine that stands still breaks off a part more.
    const areOver = async () => {
      const [begun, ended] = [await count('export.begin'), await ends()];
      return ended >= 2 && ended === begun;
    };
    await waitUntil(areOver, ENDS_MS_MAX, 'each part to end');
  });

  test('a second export to a file waits for the end of the first, however that ended', async () => {
    await using proxy = await startTcpProxy(api.url);
    proxy.inflict({ kind: 'silence', afterBytes: PART_BYTES });
    const output = join(folder, `two-${Date.now()}.ndjson`);
    const options = ['--output', output, '--format', 'ndjson'];
    const first = risk(proxy.url, ...options, '--timeout', '5');
    const isLocked = async () => (await readdir(folder)).some((file) => file.endsWith('.lock'));
    await waitUntil(isLocked, PATIENCE_MS, 'the first export');
    // Another process, as a lock of its own number is what a process before left.
    const second = await runRiskProcess(['export', '--from', from, ...options], {
      ...{ RISK_URL: api.url, RISK_API_KEY: RUNNING_API_KEY },
    });
    expect(`${second.code} ${second.stderr}`).toMatch(/^1 .*process \d+ exports to .*two-/);
    expect((await first).code).toBe(1);
    expect(await isLocked()).toBe(false);
    // As a process leaves it that is killed.
    await writeFile(`${output}.lock`, '999999999');
    const { code, stdout, stderr } = await risk(api.url, ...options);
    expect(`${code} ${stdout}`, stderr).toMatch(new RegExp(`^0 exported rows=${ROWS} `));
    expect(new Set(ids(await readFile(output, 'utf8'))).size).toBe(ROWS);
  });

  test('a transfer that falls silent ends after --timeout', async () => {
    await using proxy = await startTcpProxy(api.url);
    proxy.inflict({ kind: 'silence', afterBytes: PART_BYTES });
    const output = join(folder, 'silent.csv');
    const { code, stderr } = await risk(proxy.url, '--output', output, '--timeout', '2');
    expect(`${code} ${stderr}`).toMatch(
      /^1 .*no byte within 2000 ms; nothing succeeded for \d+ s/s,
    );
  });
});
