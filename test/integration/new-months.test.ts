/**
 * Goal: a request makes no more months than it may and names the command that makes more; that command makes them, and
 * months are listed, detached, attached and dropped without SQL. Method: an API process and commands on real
 * Postgres, as an operator runs them.
 */
import { expect, test } from 'vitest';
import { createOutput } from '../../src/kit/command/output.ts';
import { command } from '../../src/rooms/operate/commands/partitions.ts';
import { agreeOnDrop } from '../support/approvals.ts';
import { silentLog, testConfig } from '../support/config.ts';
import { insertPersonKey } from '../support/people.ts';
import { runRisk } from '../support/run-risk.ts';
import { openRunningApi } from '../support/running-api.ts';
import { idAt, storeDeadLetters } from '../support/stored-rows.ts';
import { count, input, postBatch, postOne, send } from '../support/submit.ts';

const MONTHS_MAX = 12;

const api = await openRunningApi();
await postOne(api, input());

/** A transaction for each month from January of a year on. */
const months = (year: number, length: number) =>
  Array.from({ length }, (_, month) =>
    input({ created_at: new Date(Date.UTC(year, month, 3)).toISOString() }),
  );
const partitions = (year: number) =>
  count(api, `pg_class where relname like '%\\_y${year}m%' and relkind = 'r' and relispartition`);

/** The command in this process; throws what it throws. */
async function partitionsCommand(...args: string[]) {
  let stdout = '';
  const write = (text: string) => {
    stdout += text;
  };
  const code = await command.run(args, {
    config: testConfig({ DATABASE_URL: api.testDatabase.url }),
    environment: {},
    output: createOutput({ json: true, stdout: { write }, stderr: { write: () => undefined } }),
    log: silentLog(),
    signal: new AbortController().signal,
  });
  return { code, answer: stdout === '' ? undefined : JSON.parse(stdout) };
}

async function postLines(rows: readonly object[]) {
  const response = await api.request('/v1/transactions/batch', {
    method: 'POST',
    headers: { 'Content-Type': 'application/x-ndjson' },
    body: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
  });
  return (await response.text())
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

test('beyond it a batch is refused, makes none, and names the months and the command', async () => {
  const rows = [input(), ...months(2002, MONTHS_MAX), ...months(2003, 1)];
  const { status, body } = await postBatch(api, rows);
  expect([status, body.type]).toEqual([422, 'urn:risk:problem:too-many-new-months']);
  expect(body.detail).toContain('2002-01, 2002-02,');
  expect(body.detail).toContain('bin/risk partitions create --from 2002-01 --to 2003-01');
  expect(body.errors).toHaveLength(MONTHS_MAX + 1);
  expect(body.errors[0].pointer).toBe('/transactions/1/created_at');
  expect(await partitions(2002)).toBe(0);
});

test('a stream of lines makes no more in all its chunks together, and refuses only lines of new months', async () => {
  const fill = Array.from({ length: 995 }, () => input());
  const results = await postLines([...months(2006, 8), ...fill, ...months(2007, 8), input()]);
  const refused = results.filter(({ status }) => status === 'invalid');
  expect(refused).toHaveLength(8);
  expect(refused[0]).toMatchObject({
    code: 'too-many-new-months',
    errors: [{ pointer: '/created_at', detail: expect.stringContaining('--from 2007-01') }],
  });
  expect(results.at(-1)).toMatchObject({ done: true, accepted: 8 + 995 + 1, refused: 8 });
});

test('an operator detaches, lists, attaches and drops a month', async () => {
  await postBatch(api, months(2012, 2));
  const drop = (month: string) => partitionsCommand('drop', month);
  await expect(drop('2012-01')).rejects.toThrow('2012-01 is not detached');
  const detach = (month: string) => partitionsCommand('detach', month);
  await expect(detach(new Date().toISOString().slice(0, 7))).rejects.toThrow('is not over');
  expect((await detach('2012-01')).answer).toMatchObject({ detached: true });
  expect((await detach('2012-01')).answer).toMatchObject({ detached: false });
  const stateOf = async (month: string) => {
    const { answer } = await partitionsCommand('list');
    return answer.find((row: { month: string }) => row.month === month)?.state;
  };
  expect(await stateOf('2012-01')).toBe('detached');
  expect(await stateOf('2012-02')).toBe('attached');
  await expect(drop('2012-01')).rejects.toThrow('risk archive request-drop 2012-01');
  const [detached, failed] = [1, 2].map((n) => idAt(Date.UTC(2012, 0, 15), n));
  await storeDeadLetters(api.database, [
    { id: idAt(1, 1), transactionId: detached ?? '', failedAtMs: 1, errorCode: 'MONTH_DETACHED' },
    { id: idAt(1, 2), transactionId: failed ?? '', failedAtMs: 1 },
    { id: idAt(1, 3), transactionId: idAt(Date.UTC(2012, 1, 1), 3), failedAtMs: 1 },
  ]);
  await agreeOnDrop(api.testDatabase, '2012-01');
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['risk_officer']);
  await send(api, 'POST', '/v1/months/2012-01/drop', { reason: 'six years' }, ann);
  const stores = { DATABASE_URL: api.testDatabase.url, REDIS_URL: api.redisService.url };
  expect((await runRisk(['partitions', 'attach', '2012-01'], stores)).stdout).toBe(
    [
      '2012-01 is attached; the reconciler of a worker appends its transactions without a score: 1',
      'dead letters MONTH_DETACHED of the month: 1; bin/risk dead-letters replay --error-code MONTH_DETACHED',
      'dead letters SCORING_FAILED of the month: 1; correct the cause, then bin/risk dead-letters replay --error-code SCORING_FAILED',
      '',
    ].join('\n'),
  );
  expect((await partitionsCommand('attach', '2012-01')).answer).toMatchObject({ to_be_scored: 1 });
  expect(await stateOf('2012-01')).toBe('attached');
  expect(await count(api, 'approvals where withdrawn_at is not null')).toBe(1);
  await detach('2012-01');
  await expect(drop('2012-01')).rejects.toThrow('nobody has requested month-drop');
  await detach('2012-02');
  await agreeOnDrop(api.testDatabase, '2012-02');
  await api.testDatabase.sql(
    `alter table approvals disable trigger approvals_keep;
     update approvals set proposed_at = proposed_at - interval '8 days', confirmed_at = confirmed_at - interval '8 days',
       ends_at = ends_at - interval '8 days' where subject = '2012-02';
     alter table approvals enable trigger approvals_keep`,
  );
  await expect(drop('2012-02')).rejects.toThrow('nobody has requested month-drop');
  await agreeOnDrop(api.testDatabase, '2012-02');
  expect((await drop('2012-02')).code).toBe(0);
  expect(await stateOf('2012-02')).toBeUndefined();
});

test('a session that finds no partition is not used again', async () => {
  await using pool = api.testDatabase.open({ connectionsMax: 1 });
  const pid = async () =>
    (await pool.query<{ pid: number }>({ text: 'select pg_backend_pid() as pid' }, []))[0]?.pid;
  const before = await pid();
  const text = `insert into market.scores (features_crc32, transaction_id, created_at) values (0, gen_random_uuid(), '1871-01-01')`;
  const inserted = pool.transaction((query) => query({ text }, []));
  await expect(inserted).rejects.toThrow('no partition of relation');
  expect(await pid()).not.toBe(before);
});
