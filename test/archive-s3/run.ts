/**
 * `npm run archive:s3`: a month and a market go to a real object store and come back, and checkpoints are kept there. The store is versitygw,
 * which serves a folder by the S3 API and is built once, by Go, into the cache of this user. A machine without Go skips it, which is
 * a failure where CI is set.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { MARKET } from '../../bench/support/market.ts';
import { makeRunFolder } from '../../bench/support/run-folder.ts';
import { startServices } from '../../bench/support/services.ts';
import { createOutput } from '../../src/kit/command/output.ts';
import { readConfig } from '../../src/kit/config/config.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { openFileStore } from '../../src/rooms/archive/file-stores/open-file-store.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { NotRun } from '../chaos/support/not-run.ts';
import { findVersitygw } from '../fuzz/programs.ts';
import { agreeOnDrop } from '../support/approvals.ts';
import { runRisk } from '../support/run-risk.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';
import { tryCheckpoints } from './checkpoints.ts';
import { tryMarket } from './market.ts';

const BUCKET = 'cold';
const ROWS = 3000;
const START_MS = 20_000;
const output = createOutput({ json: false });
const failures: string[] = [];

function check(what: string, isSo: boolean, seen: unknown = ''): void {
  output.line(`${isSo ? 'ok    ' : 'FAILED'}  ${what} ${String(seen)}`.trimEnd());
  if (!isSo) failures.push(what);
}

type Store = { readonly endpoint: string; readonly access: string; readonly secret: string };

async function startStore(folder: string): Promise<Store & AsyncDisposable> {
  const program = await findVersitygw();
  const [access, secret] = [randomBytes(8).toString('hex'), randomBytes(16).toString('hex')];
  const port = await freePort();
  const [files, versions] = [join(folder, 'store'), join(folder, 'versions')];
  for (const path of [files, versions]) await mkdir(path);
  const args = ['--port', `127.0.0.1:${port}`, 'posix', '--versioning-dir', versions, files];
  const env = { ...process.env, ROOT_ACCESS_KEY: access, ROOT_SECRET_KEY: secret };
  const child = spawn(program, args, { env, stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  const endpoint = `http://127.0.0.1:${port}`;
  const isUp = async () =>
    await fetch(endpoint).then(
      () => true,
      () => undefined,
    );
  await waitUntil(isUp, START_MS, 'the object store');
  const client = new AwsClient({
    accessKeyId: access,
    secretAccessKey: secret,
    service: 's3',
    region: 'us-east-1',
  });
  const headers = { 'x-amz-bucket-object-lock-enabled': 'true' };
  const made = await client.fetch(`${endpoint}/${BUCKET}`, { method: 'PUT', headers });
  check('the bucket is made with object lock', made.ok, made.status);
  return {
    ...{ endpoint, access, secret },
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** A file is written once, and one that is locked is not removed. */
async function tryPlace(
  { endpoint, access, secret }: Store,
  settings: Readonly<Record<string, string>>,
) {
  const read = readConfig(settings);
  if ('problems' in read) throw new Error(read.problems.join());
  const place = openFileStore(`s3://${BUCKET}/tried`, read.config);
  const bytes = randomBytes(100_000);
  await place.put('one', bytes);
  await place.put('one', bytes);
  check('what was put is read back', (await place.get('one', bytes.length)).equals(bytes));
  const other = await place.put('one', Buffer.from('other')).catch((error: Error) => error.message);
  check('a file is written once', /with other bytes/.test(String(other)), other);
  const gone = await place.get('none', 0).catch((error: Error) => error.message);
  check('a missing file is said', /404/.test(String(gone)), gone);
  const sealed = await place.seal(['one'], new Date(Date.now() + 3_600_000));
  check('the lock is taken', sealed === null, sealed ?? '');
  const client = new AwsClient({
    accessKeyId: access,
    secretAccessKey: secret,
    service: 's3',
    region: 'us-east-1',
  });
  const url = `${endpoint}/${BUCKET}/tried/one`;
  const versions = await (
    await client.fetch(`${endpoint}/${BUCKET}?versions&prefix=tried/`)
  ).text();
  const [, version = ''] = /<VersionId>([^<]*)</.exec(versions) ?? [];
  const removed = await client.fetch(`${url}?versionId=${version}`, { method: 'DELETE' });
  check('a locked file is not removed', removed.status === 403, removed.status);
}

async function tryArchives(
  folder: string,
  store: Store,
  settings: Readonly<Record<string, string>>,
): Promise<void> {
  const controller = new AbortController();
  const log = createLog('archive-s3', 'warn');
  await using services = await startServices({
    dataDir: join(folder, 'data'),
    log,
    signal: controller.signal,
  });
  const environment = {
    ...settings,
    DATABASE_URL: services.databaseUrl,
    REDIS_URL: services.redisUrl,
    RISK_MARKET: MARKET,
  };
  {
    await using pool = openPool({
      ...{ url: services.databaseUrl, market: MARKET, role: 'test', connectionsMax: 1 },
      ...{ namedStatements: true, connectTimeoutMs: 5000, statementTimeoutMs: 60_000 },
    });
    const createdAtMs = Date.UTC(2026, 2, 9);
    const seeds = Array.from({ length: ROWS }, (_, nth) => ({
      createdAtMs: createdAtMs + nth,
      score: nth % 1000,
    }));
    await storeTransactions(pool, seeds);
  }
  const hash = async () => {
    const { rows } = await services.database.query<{ hash: string }>(
      `select md5(string_agg(s::text, ',' order by transaction_id)) as hash from scores s`,
    );
    return rows[0]?.hash;
  };
  const before = await hash();
  const to = `s3://${BUCKET}/risk`;
  const sql = async <Row>(text: string, values: readonly unknown[] = []) =>
    (await services.database.query(text, [...values])).rows as Row[];
  await agreeOnDrop({ sql }, '2026-03');
  const archived = await runRisk(
    ['archive', 'month', '2026-03', '--to', to, '--unencrypted', '--drop'],
    environment,
  );
  check('a month is cold', archived.code === 0, archived.stdout + archived.stderr);
  const place = `${to}/${MARKET}/2026-03/1`;
  const verified = await runRisk(['archive', 'verify', place], environment);
  check('its files are read back', verified.code === 0, verified.stdout + verified.stderr);
  const restored = await runRisk(['archive', 'restore', '2026-03'], environment);
  check('the month is restored', restored.code === 0, restored.stdout + restored.stderr);
  check('its rows are those of before', (await hash()) === before);
  await tryMarket({ environment, store, bucket: BUCKET, check });
}

async function run(): Promise<number> {
  await using folder = await makeRunFolder('risk-archive-s3');
  await using store = await startStore(folder.path);
  const settings = {
    RISK_S3_ENDPOINT: store.endpoint,
    RISK_S3_ACCESS_KEY: store.access,
    RISK_S3_SECRET_KEY: store.secret,
    RISK_ARCHIVE_S3_LOCK: 'governance',
  };
  await tryPlace(store, settings);
  await tryArchives(folder.path, store, settings);
  const read = readConfig({ ...settings, RISK_EVIDENCE_BUCKET: `s3://${BUCKET}/evidence` });
  if ('problems' in read) throw new Error(read.problems.join());
  const services = {
    dataDir: join(folder.path, 'sealed'),
    log: createLog('archive-s3', 'silent'),
    signal: new AbortController().signal,
  };
  await tryCheckpoints({ ...services, folder: folder.path }, read.config, check);
  output.line(failures.length === 0 ? 'ok' : `${failures.length} FAILED`);
  return failures.length === 0 ? 0 : 1;
}

process.exitCode = await run().catch((error: unknown) => {
  if (!(error instanceof NotRun)) throw error;
  output.line(`not run: ${error.message}`);
  return process.env['CI'] === undefined ? 0 : 1;
});
