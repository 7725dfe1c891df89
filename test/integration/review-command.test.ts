/** Goal: `risk review` does by command what a reviewer does. Method: the command as a process, against a running API. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { insertPersonKey } from '../support/people.ts';
import { runRisk } from '../support/risk.ts';
import { type RunningApi, startRunningApi } from '../support/running-api.ts';
import { storeTransactions } from '../support/stored-rows.ts';

let api: RunningApi;
let key: string;
beforeAll(async () => {
  api = await startRunningApi();
  key = await insertPersonKey(api.testDatabase, 'Ann', ['analyst']);
});
afterAll(() => api[Symbol.asyncDispose]());

const risk = (...args: string[]) => runRisk(args, { RISK_URL: api.url, RISK_API_KEY: key });
const json = async (...args: string[]) =>
  JSON.parse((await risk('review', ...args, '--json')).stdout);

test('a case is listed, claimed, decided and taken back', async () => {
  const [id = ''] = await storeTransactions(api.database, [
    { createdAtMs: Date.UTC(2026, 10, 20), score: 730 },
  ]);
  expect(await json('next')).toEqual({ case: null });
  const opened = await api.post('/v1/reviews', { transaction_id: id, note: 'a customer called' });
  expect(opened.status).toBe(201);
  expect(await json('list', '--priority', 'P2')).toMatchObject([
    { transaction_id: id, state: 'open' },
  ]);
  expect(await json('list', '--priority', 'P0')).toEqual([]);
  expect(await json('next', '--corridor', 'US-EG')).toMatchObject({ locked_by: 'Ann' });
  const decided = await json('decide', id, 'fraud', '--reason', 'stolen card');
  expect(decided).toMatchObject({ state: 'decided', decision: { disposition: 'fraud' } });
  expect(await json('undo', id)).toMatchObject({ state: 'claimed', decision: null });
  expect(await json('release', id)).toMatchObject({ state: 'open' });
  const { history, notes } = await json('show', id);
  expect(notes).toMatchObject([{ note: 'a customer called' }]);
  expect(history.map((one: { action: string }) => one.action)).toEqual([
    ...['case.release', 'case.undo', 'case.decide', 'case.claim', 'case.open'],
  ]);
}, 120_000);

test('what may not be done is refused in words, and a wrong word by its usage', async () => {
  const id = '01a1f84a-95c0-7000-8000-00000000002a';
  const unknown = await risk('review', 'claim', id);
  expect([unknown.code, unknown.stderr]).toEqual([
    1,
    expect.stringContaining('No case has the id'),
  ]);
  const confirm = await risk('review', 'confirm', id);
  expect(confirm.stderr).toContain('needs the role risk_officer');
  const word = await risk('review', 'decide', id, 'maybe', '--reason', 'x');
  expect([word.code, word.stderr]).toEqual([2, expect.stringContaining('must be one of fraud')]);
  for (const [words, why] of [
    [['next', 'extra'], "unexpected argument 'extra'"],
    [['claim'], 'ID is missing'],
    [['show', id, 'extra'], "unexpected argument 'extra'"],
    [['decide', id, '--reason', 'x'], 'DISPOSITION is missing'],
  ] as const) {
    const refused = await risk('review', ...words);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringContaining(why)]);
  }
}, 120_000);
