/**
 * Goal: a market with declared fields has no clear value in any dump, export, log or metric, or in the heap of a worker. Method:
 * canaries in every encoding; a control value, which is not personal, is found in each place, so the search finds what is there.
 */
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parquetReadObjects } from 'hyparquet';
import { expect, test } from 'vitest';
import { type RiskProcess, spawnRisk } from '../../../support/risk.ts';
import { dumpKeys, dumpTables, findIn } from '../../../support/rooms/privacy/canaries.ts';
import { CANARIES, CONTROL, payments, sendScored } from '../../../support/rooms/privacy/history.ts';
import { makePrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { type RunningApi, startRunningApi } from '../../../support/running-api.ts';
import { temporaryFolder } from '../../../support/temporary-folder.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const FIELDS = ['account_id', 'device_id', 'ip', 'metadata.contacts.email', 'metadata.home'];
const PATIENT = { RISK_STATEMENT_TIMEOUT_MS: '20000', LOG_LEVEL: 'trace' };
/** Where the programs of the Postgres are under which the test runs; its own Postgres comes without pg_dump. */
const BIN = process.env['RISK_TEST_POSTGRES_BIN'];

/** Texts of bytes, which may be of any encoding. */
const readBytes = (path: string) => readFile(path, 'latin1');

async function dumpsOf(api: RunningApi, folder: string): Promise<Record<string, string>> {
  if (BIN === undefined) return {};
  const run = (program: string, ...args: string[]) => promisify(execFile)(join(BIN, program), args);
  const [plain, custom, read] = ['plain', 'custom', 'read'].map((name) => join(folder, name));
  await run('pg_dump', `--file=${plain}`, api.testDatabase.url);
  await run('pg_dump', '--format=custom', `--file=${custom}`, api.testDatabase.url);
  await run('pg_restore', `--file=${read}`, `${custom}`);
  return {
    'pg_dump, plain': await readBytes(`${plain}`),
    'pg_dump, custom, read by pg_restore': await readBytes(`${read}`),
  };
}

async function exportsOf(api: RunningApi, folder: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const format of ['csv', 'ndjson', 'parquet']) {
    const output = join(folder, `all.${format}`);
    const { code } = await api.risk('export', '--output', output, '--format', format);
    expect([format, code]).toEqual([format, 0]);
    if (format !== 'parquet') found[format] = await readBytes(output);
  }
  const { buffer, byteOffset, length } = await readFile(join(folder, 'all-0001.parquet'));
  const file = buffer.slice(byteOffset, byteOffset + length);
  if (!(file instanceof ArrayBuffer)) throw new Error('a file is read into memory of its own');
  const rows = await parquetReadObjects({ file });
  const text = (value: unknown) => (typeof value === 'bigint' ? `${value}` : value);
  found['Parquet, raw and read'] =
    Buffer.from(file).toString('latin1') + JSON.stringify(rows, (_name, value) => text(value));
  return found;
}

/** Texts in the heap of a worker, which writes a snapshot where it gets a signal. */
async function heapOf(worker: RiskProcess, folder: string): Promise<string> {
  worker.kill('SIGUSR2');
  return await waitUntil(
    async () => {
      const name = (await readdir(folder)).find((one) => one.endsWith('.heapsnapshot'));
      const text = name === undefined ? '' : await readBytes(join(folder, name));
      const isWhole = /\]\s*\}\s*$/.test(text.slice(-10));
      return isWhole ? text.slice(text.lastIndexOf('"strings":[')) : undefined;
    },
    60_000,
    'a snapshot of the heap',
  );
}

test('no place of a market with declared fields has a clear value', async () => {
  await using folder = await makePrivacyFolder();
  const scratch = temporaryFolder();
  await using api = await startRunningApi({ ...folder.settings, ...PATIENT });
  const stores = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
  for (const field of FIELDS)
    expect((await api.risk('privacy', 'declare', field)).stdout).toContain(field);
  await using worker = spawnRisk(['worker'], {
    ...stores,
    ...PATIENT,
    NODE_OPTIONS: `--heapsnapshot-signal=SIGUSR2 --diagnostic-dir=${scratch}`,
  });
  await sendScored(api, payments(0, 100));
  const places = {
    'tables of Postgres': await dumpTables(api.testDatabase),
    'keys and streams of Redis': await dumpKeys(api.redis),
    ...(await dumpsOf(api, scratch)),
    ...(await exportsOf(api, scratch)),
    'heap of a worker': await heapOf(worker, scratch),
  };
  const silent = {
    'log of the API': api.log(),
    'log of a worker': worker.stdout() + worker.stderr(),
    metrics: await (await api.request('/metrics')).text(),
  };
  expect(Object.entries(places).map(([place, text]) => [place, findIn(text, [CONTROL])])).toEqual(
    Object.keys(places).map((place) => [place, [CONTROL]]),
  );
  const all = Object.entries({ ...places, ...silent });
  expect(all.map(([place, text]) => [place, findIn(text, CANARIES)])).toEqual(
    all.map(([place]) => [place, []]),
  );
});
