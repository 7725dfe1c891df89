/**
 * Goal: a new wrapping key reads what older ones wrapped, takes their place for good, and changes no token. Method: subjects of two
 * keys, a stopped and a whole run, and an API that has the new key alone.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { command } from '../../../../src/rooms/privacy/commands.ts';
import { type ApiRun, runApiHere } from '../../../support/api-here.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { makePrivacyFolder, type PrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { runCommand } from '../../../support/run-command.ts';
import { RUNNING_API_KEY, type RunningApi, startRunningApi } from '../../../support/running-api.ts';
import { answerOf, input } from '../../../support/submit.ts';

let folder: PrivacyFolder;
let api: RunningApi;
let reader: string;

beforeAll(async () => {
  folder = await makePrivacyFolder();
  api = await startRunningApi(folder.settings);
  reader = await insertPersonKey(api.testDatabase, 'Rhea', ['personal_data']);
  const declared = await api.request('/v1/personal-fields/account_id', { method: 'PUT' });
  expect(declared.status).toBe(200);
});
afterAll(async () => {
  await api[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

const environment = () => ({
  DATABASE_URL: api.testDatabase.url,
  REDIS_URL: api.redisService.url,
  PORT: '0',
  ...folder.settings,
});
async function pay({ url }: Pick<ApiRun, 'url'>, account: string): Promise<string> {
  const headers = {
    Authorization: `Bearer ${RUNNING_API_KEY}`,
    'Content-Type': 'application/json',
  };
  const body = JSON.stringify(input({ account_id: account }));
  const sent = await answerOf(
    await fetch(`${url}/v1/transactions`, { method: 'POST', headers, body }),
  );
  const path = `/v1/transactions/${sent.body.transaction_id}`;
  return (await answerOf(await fetch(url + path, { headers }))).body.account_id;
}
async function read({ url }: Pick<ApiRun, 'url'>, token: string): Promise<unknown> {
  const headers = { Authorization: `Bearer ${reader}`, 'Risk-Reason': 'a test' };
  return (await answerOf(await fetch(`${url}/v1/subjects/${token}`, { headers }))).body.value;
}
const wrapped = async () => {
  const [row] = await api.testDatabase.sql<{ keys: string[] }>(
    `select array_agg(distinct key_id order by key_id) as keys
       from (select key_id from subjects union all select key_id from personal_state) k`,
  );
  return row?.keys;
};

test('older keys are needed until their subjects are wrapped anew, and no token changes', async () => {
  const old = await pay(api, 'old');
  const { RISK_PRIVACY_KEYS: path } = folder.settings;
  const [oldKey, newKey] = [await readFile(path, 'utf8'), await readFile(folder.otherKeys, 'utf8')];
  await writeFile(path, newKey + oldKey);
  const both = await runApiHere(environment());
  const fresh = await pay(both, 'new');
  expect([await read(both, old), await read(both, fresh)]).toEqual(['old', 'new']);
  expect(await wrapped()).toEqual(['k1', 'k2']);
  // Behind a run that was killed some subjects have the new key.
  const run = () => runCommand(command, environment(), ['rewrap', '--json']);
  expect(JSON.parse((await run()).stdout)).toEqual({ key: 'k2', subjects: 1, isWhole: true });
  expect(JSON.parse((await run()).stdout).subjects).toBe(0);
  expect(await wrapped()).toEqual(['k2']);
  expect(await pay(both, 'old')).toBe(old);
  await both.stop();

  await writeFile(path, newKey);
  const alone = await runApiHere(environment());
  expect([await read(alone, old), await read(alone, fresh)]).toEqual(['old', 'new']);
  expect([await pay(alone, 'old'), await pay(alone, 'new')]).toEqual([old, fresh]);
  await alone.stop();
  await writeFile(path, oldKey);
  await expect(runApiHere(environment())).rejects.toThrow(/RISK_PRIVACY_KEYS has no key k2/);
});
