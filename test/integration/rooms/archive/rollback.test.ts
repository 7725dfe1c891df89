/**
 * Goal: a rollback leaves a whole archive and an unchanged other market, wherever it is killed, and drops nothing that two people
 * have not agreed on. Method: a process is killed at each step, and the next one continues.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { unsealed } from '../../../../bench/support/unsealed.ts';
import { migrate } from '../../../../src/kit/database/migrations/migrate.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { requestRollback } from '../../../../src/rooms/archive/approval.ts';
import { confirmIn } from '../../../support/approvals.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { runRiskProcess, spawnRisk } from '../../../support/risk.ts';
import { makeFounder } from '../../../support/rooms/archive/agree.ts';
import { freezeMarket } from '../../../support/rooms/corridors/freeze-market.ts';
import { runRisk, said } from '../../../support/run-risk.ts';
import { storeOpenRows, storeTransactions } from '../../../support/stored-rows.ts';
import { folderOfFile } from '../../../support/temporary-folder.ts';
import { THOROUGH } from '../../../support/thorough.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig, seeds } from '../../../support/worker-rig.ts';

const OTHER = 'market_1';
const SCORES = 30;
const STILL_MS_MAX = 60_000;

const rig = await openForFile(createWorkerRig());
const folder = folderOfFile();
await openForFile(unsealed(folder));
const keyFile = join(folder, 'key');
let other: Database;
beforeAll(async () => {
  const worker = rig.startWorker();
  await rig.send(seeds(SCORES, Date.now()));
  await rig.settled(SCORES);
  await worker.stop();
  await migrate({ url: rig.database.url, market: OTHER, corridors: ['JP-KR'] });
  other = rig.database.open({ market: OTHER });
  const createdAtMs = Date.now();
  const scored = { createdAtMs, corridor: 'JP-KR', score: 100, accountId: 'ä "quoted", \\ \n' };
  const [pending = ''] = await storeTransactions(other, [
    { ...scored, score: undefined } as never,
    ...Array.from({ length: 500 }, () => scored),
  ]);
  await storeOpenRows(other.query, new Date(), [pending], false);
  const keys = [`{${OTHER}:JP-KR:0}:transactions-scored`, `${OTHER}:workers`, `${OTHER}0:workers`];
  for (const key of keys) await rig.commands.set(key, 'x');
  await writeFile(keyFile, randomBytes(32).toString('base64'));
});
afterAll(() => other[Symbol.asyncDispose]());

const officer = (name: string) => makeFounder(other, name);
const environment = () => ({ DATABASE_URL: rig.database.url, REDIS_URL: rig.redis.url });
const words = (...more: readonly string[]) => [
  'archive',
  'rollback',
  OTHER,
  '--to',
  join(folder, 'archive'),
  '--key',
  keyFile,
  ...more,
];
const rollback = (...more: readonly string[]) => runRisk(words(...more), environment());
/** Steps that are killed in `npm test`: amid the export, and on either side of the commit that drops. */
const KILLED = ['table-audit_log', 'dropping', 'dropped'];
const killedAt = async (point: string, ...more: readonly string[]) => {
  if (!THOROUGH && !KILLED.includes(point)) return;
  const failpoint = { RISK_TEST_FAILPOINT: `archive-${point}` };
  const { code, stderr } = await runRiskProcess(words(...more), { ...environment(), ...failpoint });
  expect(code, `${point}: ${stderr}`).toBeNull();
};
/** A command that stands still from a failpoint on, while others go on with its archive. */
const standsStillAt = async (point: string, ...more: readonly string[]) => {
  const failpoint = { RISK_TEST_FAILPOINT: `archive-${point}:1:SIGSTOP` };
  const command = spawnRisk(words(...more), { ...environment(), ...failpoint });
  const isStill = () => / T /.test(readFileSync(`/proc/${command.pid}/stat`, 'utf8'));
  await waitUntil(isStill, STILL_MS_MAX, `the command to stand still at ${point}`);
  return command;
};
const verify = (...more: readonly string[]) =>
  runRisk(['archive', 'verify', join(folder, 'archive'), ...more]);
const ofMarket0 = () =>
  rig.database.sql(
    `select (select md5(string_agg(t::text, ',' order by transaction_id)) from transactions t) as transactions,
            (select md5(string_agg(s::text, ',' order by transaction_id)) from scores s) as scores`,
  );

test('a rollback that is killed at each step goes on, and drops what two people agreed on', async () => {
  const before = await ofMarket0();
  expect((await rollback()).stderr).toContain('market_1 is not frozen: freeze it first');
  await freezeMarket(other);

  const setting = `insert into ${OTHER}.corridor_settings (corridor, changed_by, log_changed_at)
                   values ('JP-KR', 'test', now())`;
  await rig.database.sql(setting);
  expect((await rollback()).stderr).toContain('JP-KR of market_1 used Kafka');
  await rig.database.sql(`delete from ${OTHER}.corridor_settings`);
  await rm(join(folder, 'archive'), { recursive: true });

  const waiting = said(await rollback('--wait-hours', '0'));
  expect(waiting).toMatch(/^1 [\s\S]*1 transactions of market_1/);
  expect((await rollback()).stderr).toContain('give --continue');
  await killedAt('drain', '--continue', '--dead-letter-rest');
  await killedAt('table-audit_log', '--continue', '--dead-letter-rest');
  await using still = await standsStillAt('table-audit_log', '--continue', '--dead-letter-rest');
  await killedAt('export', '--continue');
  await killedAt('verify', '--continue');

  expect((await rollback('--continue')).stderr).toContain('nobody has requested');
  const { approval_id: id } = await requestRollback(other, OTHER, 'closed', await officer('Ann'));
  expect((await rollback('--continue')).stderr).toContain('Ann alone requested');
  await confirmIn(other, id, await officer('Bob'));
  await killedAt('redis', '--continue');
  await rig.database.sql(`insert into ${OTHER}.limit_processes (process) values ('an API')`);
  const { stderr: whatChanged } = await rollback('--continue');
  expect(whatChanged).toMatch(/audit_log.* changed after the export/);
  expect(whatChanged).not.toContain('limit_processes');
  await killedAt('dropping', '--continue');
  expect(await rig.database.sql(`select from ${OTHER}.transactions`)).toHaveLength(501);
  await killedAt('dropped', '--continue');
  await killedAt('drop', '--continue');
  await killedAt('others', '--continue');
  expect(said(await rollback('--continue'))).toMatch(/^0 .*is archived in/);
  still.kill('SIGCONT');
  expect((await still.exited).code).toBe(1);
  expect(still.stderr()).toContain('another command has gone on with the archive');

  const migrated = await runRisk(['migrate'], { ...environment(), RISK_MARKET: OTHER });
  const way = `restore-market ${join(folder, 'archive')}\` brings it back`;
  expect([migrated.code, migrated.stderr]).toEqual([1, expect.stringContaining(way)]);
  expect(await rig.database.sql(`select to_regnamespace('${OTHER}') as gone`)).toEqual([
    { gone: null },
  ]);
  expect(await rig.commands.keys(`*${OTHER}*`)).toEqual([`${OTHER}0:workers`]);
  expect(await ofMarket0()).toEqual(before);
  const reports = await rig.database.sql<{ after: object }>(
    `select subject, after from audit_log where action = 'rollback.end'`,
  );
  const { scores, different } = { scores: SCORES, different: 0 };
  expect(reports).toMatchObject([
    {
      subject: OTHER,
      after: { requested_by: 'Ann', confirmed_by: 'Bob', others: [{ scores, different }] },
    },
  ]);
});

test('an archive is read back alone: whole, with another key, and changed', async () => {
  expect(said(await verify('--key', keyFile))).toMatch(/^0 .*different=0/);
  const { tables } = JSON.parse(await readFile(join(folder, 'archive/archive.json'), 'utf8'));
  const rows = (name: string) =>
    tables
      .filter((table: { name: string }) => table.name.startsWith(name))
      .reduce((sum: number, table: { rows: number }) => sum + table.rows, 0);
  expect([rows('transactions_'), rows('scores_'), rows('dead_letters')]).toEqual([501, 500, 1]);
  type Written = { name: string; rows: number; parts: readonly unknown[] };
  const named = (own: readonly Written[]) => own.map(({ name }) => name);
  expect(named(tables.filter(({ parts }: Written) => parts.length > 0))).toEqual(
    named(tables.filter(({ rows: some }: Written) => some > 0)),
  );
  const wrongKey = join(folder, 'wrong');
  await writeFile(wrongKey, randomBytes(32).toString('base64'));
  expect((await verify('--key', wrongKey)).stderr).toContain('the key is wrong');
  expect((await verify()).code).toBe(2);
  const { parts } = tables.find((table: { name: string }) => table.name === 'audit_log');
  const path = join(folder, 'archive', parts[0].file);
  const bytes = await readFile(path);
  bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
  await unsealed(folder)[Symbol.asyncDispose]();
  await writeFile(path, bytes);
  expect((await verify('--key', keyFile)).stderr).toContain('its SHA-256 differs');
});
