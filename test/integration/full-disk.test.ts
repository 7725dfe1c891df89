/**
 * Goal: what the engine cannot say ends none of its work. Method: processes whose standard error is /dev/full, as a log on a full
 * disk, or a pipe whose reader has ended.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { createTestDatabase } from '../support/database.ts';
import { childEnvironment, REPOSITORY, type RiskProcess, watch } from '../support/risk.ts';
import { startTestRedis } from '../support/services.ts';
import { type Answer, answerOf, input } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const KEY = 'full-disk-test-key-of-at-least-32-characters';
const SCORED_MS = 30_000;

/** @param shell script that runs `risk ARGS`, whose standard error is a full disk unless the script redirects it */
function runTo(shell: string, args: readonly string[], environment: Record<string, string>) {
  const full = openSync('/dev/full', 'w');
  const program = [process.execPath, `${REPOSITORY}/src/main/cli.ts`, ...args];
  const child = spawn('sh', ['-c', shell, ...program], {
    cwd: '/',
    env: childEnvironment(environment),
    stdio: ['ignore', 'pipe', full],
  });
  closeSync(full);
  return watch(child);
}
const toFullDisk = 'exec "$0" "$@"';

test('an API and a worker whose log is on a full disk go on', async () => {
  await using database = await createTestDatabase();
  await using redis = await startTestRedis();
  const port = String(await freePort());
  const stores = { DATABASE_URL: database.url, REDIS_URL: redis.url };
  const settings = { ...stores, RISK_BOOTSTRAP_KEY: KEY, PORT: port, LOG_LEVEL: 'trace' };
  await using api = runTo(toFullDisk, ['api'], settings);
  await using worker = runTo(toFullDisk, ['worker'], { ...stores, LOG_LEVEL: 'trace' });
  const headers = { Authorization: `Bearer ${KEY}`, 'Content-Type': 'application/json' };
  const post = { method: 'POST', headers, body: JSON.stringify(input()) };
  const ask = async (path: string, init: RequestInit): Promise<Answer | undefined> => {
    if ([api, worker].some((role: RiskProcess) => role.hasExited())) throw new Error('ended');
    return await fetch(`http://127.0.0.1:${port}${path}`, init).then(answerOf, () => undefined);
  };
  const posted = await waitUntil(() => ask('/v1/transactions', post), SCORED_MS, 'an API');
  const path = `/v1/scores/${posted.body.transaction_id}`;
  const isScored = async () => (await ask(path, { headers }))?.status === 200;
  await waitUntil(isScored, SCORED_MS, 'the score');
});

test.each([
  { shell: toFullDisk, where: 'on a full disk' },
  { shell: '"$0" "$@" 2>&1 >/dev/null | true', where: 'read by nobody' },
])('a migration goes to its end where its progress is $where', async ({ shell }) => {
  await using database = await createTestDatabase({ migrated: false });
  const environment = { DATABASE_URL: database.url, RISK_CORRIDORS: 'QM-XA,QM-XB' };
  await using risk = runTo(shell, ['migrate'], environment);
  const { code } = await risk.exited;
  const corridors = `select corridor from shared.corridors where corridor like 'QM-%'`;
  expect([code, (await database.sql(corridors)).length]).toEqual([0, 2]);
  const months = await database.sql(
    `select from pg_inherits where inhparent = 'market_0.transactions'::regclass`,
  );
  expect(months.length).toBeGreaterThan(0);
});
