/**
 * `npm run archive:s3`: a month and a market go to a real object store and come back, and checkpoints are kept there. The store is versitygw,
 * which serves a folder by the S3 API and is built once, by Go, into the cache of this user. A machine without Go skips it, which is
 * a failure where CI is set.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { MARKET } from '../../bench/support/market.ts';
import { makeRunFolder } from '../../bench/support/run-folder.ts';
import { startServices } from '../../bench/support/services.ts';
import { readConfig } from '../../src/kit/config/config.ts';
import { openPool } from '../../src/kit/database/pool.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { openFileStore } from '../../src/rooms/archive/file-stores/open-file-store.ts';
import { NotRun } from '../chaos/support/not-run.ts';
import { agreeOnDrop } from '../support/approvals.ts';
import { runRisk } from '../support/run-risk.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { tryCheckpoints } from './checkpoints.ts';
import { tryMarket } from './market.ts';
import { BUCKET, check, failures, output, type Store, startStore, tryDelete } from './store.ts';

const ROWS = 3000;
/** A file is written once, and one that is locked is not removed. */
async function tryPlace(store: Store) {
  const read = readConfig(store.settings);
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
  await tryDelete(store, 'tried/one');
}

async function tryArchives(folder: string, store: Store): Promise<void> {
  const controller = new AbortController();
  const log = createLog('archive-s3', 'warn');
  await using services = await startServices({
    dataDir: join(folder, 'data'),
    log,
    signal: controller.signal,
  });
  const environment = {
    ...store.settings,
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
  await tryMarket(environment, store);
}

async function run(): Promise<number> {
  await using folder = await makeRunFolder('risk-archive-s3');
  await using store = await startStore(folder.path);
  await tryPlace(store);
  await tryArchives(folder.path, store);
  const read = readConfig({ ...store.settings, RISK_EVIDENCE_BUCKET: `s3://${BUCKET}/evidence` });
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
