/**
 * Goal: an archived month loses no row, wherever its command is killed, and is the same month again after a restore; until then
 * reads of its transactions name the month and the command. Method: processes are killed at each step and the next one continues;
 * answers of the API and sums over the rows are compared with those from before.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { unsealed } from '../../../../bench/support/unsealed.ts';
import { agreeOnDrop } from '../../../support/approvals.ts';
import { startMonthsRig, timeIn } from '../../../support/months-rig.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { expectProblem } from '../../../support/problem.ts';
import { runRiskProcess } from '../../../support/risk.ts';
import { runRisk } from '../../../support/run-risk.ts';
import { storeScoresOf } from '../../../support/stored-rows.ts';
import { input, labelInput, postLabels, postOne } from '../../../support/submit.ts';
import { folderOfFile } from '../../../support/temporary-folder.ts';
import { THOROUGH } from '../../../support/thorough.ts';

const MONTH = '2013-03';
const ROWS = 60;

const folder = folderOfFile();
const keyFile = join(folder, 'key');
writeFileSync(keyFile, randomBytes(32).toString('base64'));
const place = join(folder, 'cold', 'market_0', MONTH, '1');
const { api } = await startMonthsRig();
const { sql, url } = api.testDatabase;

await openForFile(unsealed(folder));

/** Scored and labelled, scored, and neither. */
let ids: string[];
let own: string;
const as = (key: string) => ({ headers: { Authorization: `Bearer ${key}` } });
beforeAll(async () => {
  ids = [];
  for (let nth = 0; nth < ROWS; nth += 1) {
    const metadata = { note: 'ä "quoted" \\ ', nested: { n: [nth, null, 1e21] } };
    const { body } = await postOne(api, input({ created_at: timeIn(MONTH), metadata }));
    ids.push(String(body.transaction_id));
  }
  await storeScoresOf(api.database, ids.slice(1));
  await sql('delete from open_rows where transaction_ids <@ $1::uuid[]', [ids.slice(1)]);
  const labels = ['fraud', 'legitimate'].map((label, nth) =>
    labelInput({ label, transaction_id: ids[2], labelled_at: `2013-04-0${nth + 1}T00:00:00.000Z` }),
  );
  expect((await postLabels(api, labels)).status).toBe(200);
  const made = await api.post('/v1/keys', { roles: ['ingest'], client: 'default', owner: 'test' });
  own = ((await made.json()) as { key: string }).key;
});

const environment = { DATABASE_URL: url };
const words = (...more: readonly string[]) => [
  'archive',
  'month',
  MONTH,
  '--to',
  join(folder, 'cold'),
  '--key',
  keyFile,
  ...more,
];
const archive = (...more: readonly string[]) => runRisk(words(...more), environment);
const restore = ['archive', 'restore', MONTH, '--key', keyFile];
/** Steps that are killed in `npm test`: amid the export, on either side of the commit that drops, and amid a restore. */
const KILLED = ['table-transactions', 'month-dropping', 'month-drop', 'restoring'];
const kill = async (point: string, args: readonly string[]) => {
  if (!THOROUGH && !KILLED.includes(point)) return;
  const failpoint = { RISK_TEST_FAILPOINT: `archive-${point}` };
  const { code, stderr } = await runRiskProcess(args, { ...environment, ...failpoint });
  expect(code, `${point}: ${stderr}`).toBeNull();
};
const killedAt = (point: string, ...more: readonly string[]) => kill(point, words(...more));

/** Every row of the month, as a hash a table. */
const rows = async () =>
  await sql(
    ['transactions', 'scores', 'labels']
      .map((table) => {
        const name = `${table}_y2013m03`;
        return `(select '${table}' as name, count(*)::int4 as rows, md5(string_agg(t::text, ',' order by t::text)) as hash from ${name} t)`;
      })
      .join(' union all '),
  );
const step = async () => {
  const [found] = await sql<{ step: string }>(
    'select step from archived_months order by number desc limit 1',
  );
  return found?.step;
};
/** @param key of a client whose scores the API has in no memory */
async function answers(key?: string) {
  const ofScore = key === undefined ? {} : as(key);
  const asked = [0, 1, 2].flatMap((nth) => [
    { path: `/v1/transactions/${ids[nth]}?expand=labels`, init: {} },
    { path: `/v1/scores/${ids[nth]}`, init: ofScore },
  ]);
  return await Promise.all(
    asked.map(async ({ path, init }) => {
      const response = await api.request(path, init);
      return [path, response.status, await response.json()];
    }),
  );
}

let rowsBefore: Awaited<ReturnType<typeof rows>>;
let answersBefore: Awaited<ReturnType<typeof answers>>;

test('a month whose archive is killed at each step is cold in the end, and never before its files are whole', async () => {
  await sql(
    `insert into evidence_logs (origin, root, checkpoint) values ('x', sha256(''), 'a signed note')`,
  );
  rowsBefore = await rows();
  answersBefore = await answers();
  expect(rowsBefore).toMatchObject([{ rows: ROWS }, { rows: ROWS - 1 }, { rows: 2 }]);
  await killedAt('month-detach');
  await killedAt('table-transactions');
  expect((await archive()).stderr).toContain('give --continue, or --anew');
  await killedAt('table-scores', '--continue');
  await killedAt('month-export', '--continue');
  await killedAt('month-verify', '--continue');
  await killedAt('month-seal', '--continue');
  const waiting = await archive('--continue');
  expect([waiting.code, waiting.stdout]).toEqual([0, expect.stringContaining('its tables remain')]);
  expect(await rows()).toEqual(rowsBefore);

  const { hold_id: id } = (await api.riskJson(
    'holds',
    'set',
    'month',
    '--subject',
    MONTH,
    '--reason',
    'a court',
  )) as { hold_id: string };
  expect((await archive('--continue', '--drop')).stderr).toContain('legal hold');
  await api.riskJson('holds', 'lift', id, '--reason', 'closed');
  await agreeOnDrop(api.testDatabase, MONTH);

  await killedAt('month-dropping', '--continue', '--drop');
  expect([await rows(), await step()]).toEqual([rowsBefore, 'drop']);
  await killedAt('month-drop', '--continue', '--drop');
  expect(await step()).toBe('cold');
  const [noted] = await sql(`select manifest ->> 'evidence' as evidence from archived_months`);
  expect(noted).toEqual({ evidence: 'a signed note' });
  const done = await archive('--drop');
  expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('is cold')]);
  expect(await sql(`select to_regclass('scores_y2013m03') as gone`)).toEqual([{ gone: null }]);
  const sealed = await rm(join(place, 'archive.json')).then(
    () => false,
    () => true,
  );
  const { stderr } = await runRisk(['archive', 'verify', place, '--key', keyFile]);
  expect([sealed, stderr]).toEqual([true, expect.not.stringContaining('differ')]);
});

test('reads by ids of a cold month name the month and the command that restores it, and stop no search', async () => {
  for (const path of ['transactions/', 'scores/', 'evidence/scores/']) {
    const asked = api.request(`/v1/${path}${ids[2]}`, path === 'scores/' ? as(own) : {});
    const { body } = await expectProblem(await asked, 410);
    expect(body.type).toBe('urn:risk:problem:transaction-detached');
    expect(body.detail).toContain('2013-03, the month of this transaction, is cold');
    expect(body.detail).toContain('`risk archive restore 2013-03`');
  }
  const explained = await expectProblem(await api.request(`/v1/scores/${ids[2]}/explanation`), 410);
  expect(explained.body.detail).toContain('is cold');
  const list = await api.request('/v1/transactions?from=2013-01-01T00:00:00Z');
  expect(list.status).toBe(200);
});

test('a cold month takes nothing, is listed, and is neither attached nor dropped', async () => {
  const post = await postOne(api, input({ created_at: timeIn(MONTH) }));
  expect([post.status, post.body.type]).toEqual([422, 'urn:risk:problem:month-detached']);
  const label = await postLabels(api, [labelInput({ transaction_id: ids[1] })]);
  expect([label.status, label.body.type]).toEqual([422, 'urn:risk:problem:month-detached']);
  const range = 'from=2013-03-01T00:00:00Z&to=2013-04-01T00:00:00Z';
  const list = await (await api.request(`/v1/transactions?${range}`)).json();
  expect(list).toMatchObject({ items: [], detached_months: [MONTH], cold_months: [MONTH] });
  const run = (...args: string[]) => runRisk(['partitions', ...args], environment);
  expect((await run('list')).stdout).toMatch(/2013-03 +cold/);
  for (const args of [
    ['attach', MONTH],
    ['drop', MONTH],
  ]) {
    expect((await run(...args)).stderr).toContain('risk archive restore 2013-03');
  }
  expect((await archive('--anew')).stderr).toContain('its rows are in these files alone');
});

test('a restore that is killed leaves a cold month or a detached one, and the rows are those of before', async () => {
  await sql('grant all on schema market_0 to pg_database_owner');
  await sql('alter table scores owner to pg_database_owner');
  await kill('restoring', restore);
  expect(await step()).toBe('cold');
  await kill('restored', restore);
  expect(await step()).toBe(THOROUGH ? 'ended' : 'cold');
  const { code, stdout } = await runRisk(restore, environment);
  expect([code, stdout]).toEqual([0, expect.stringContaining('without a score: 1')]);
  // The reconciler appends the transactions of open rows.
  const unscored = `select t.transaction_id as id from transactions_y2013m03 t
      where not exists (select from scores s where s.transaction_id = t.transaction_id)`;
  const open = `select unnest(transaction_ids) as id from open_rows`;
  expect(await sql(`${unscored} intersect ${open}`)).toHaveLength(1);
  const [owned] = await sql(
    `select pg_get_userbyid(relowner) as by from pg_class where relname = 'scores_y2013m03'`,
  );
  expect(owned).toEqual({ by: 'pg_database_owner' });
  expect(await rows()).toEqual(rowsBefore);
  expect(await answers(own)).toEqual(answersBefore);
});

test('a month that changed after its export is not dropped, and is archived anew', async () => {
  const plain = ['archive', 'month', MONTH, '--to', join(folder, 'plain'), '--unencrypted'];
  const run = (...more: string[]) => runRisk([...plain, ...more], environment);
  expect((await run()).code).toBe(0);
  await sql(`update scores_y2013m03 set score = 999 where transaction_id = '${ids[5]}'`);
  expect((await run('--continue', '--drop')).stderr).toContain('scores_y2013m03 changed');
  expect((await run('--anew', '--drop')).stderr).toContain('nobody has requested month');
  await agreeOnDrop(api.testDatabase, MONTH);
  expect((await run('--continue', '--drop')).stdout).toContain('is cold');
  const files = await readdir(join(folder, 'plain', 'market_0', MONTH));
  expect(files).toEqual(['2', '3']);
  expect((await runRisk(['archive', 'restore', MONTH], environment)).code).toBe(0);
  const score = await (await api.request(`/v1/scores/${ids[5]}?fields=score`)).json();
  expect(score).toMatchObject({ score: 999 });
});
