/**
 * Goal: a new wrapping key reads what older ones wrapped, takes their place for good, and changes no token. Method: subjects of two
 * keys, one of which is made meanwhile, a stopped and a whole run, and APIs that have the old or the new key alone.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { openMarketKey } from '../../../../src/core/store/subject-lookup.ts';
import type { WrappingKey, WrappingKeys } from '../../../../src/kit/config/privacy-settings.ts';
import { command } from '../../../../src/rooms/privacy/commands.ts';
import { readState } from '../../../../src/rooms/privacy/store.ts';
import { openSubjects } from '../../../../src/rooms/privacy/subjects.ts';
import { type ApiRun, runApiHere } from '../../../support/api-here.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { makePrivacyFolder } from '../../../support/rooms/privacy/settings.ts';
import { runCommand } from '../../../support/run-command.ts';
import { RUNNING_API_KEY, startRunningApi } from '../../../support/running-api.ts';
import { answerOf, count, input, postOne } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const folder = await openForFile(makePrivacyFolder());
const api = await openForFile(startRunningApi(folder.settings));
const reader = await insertPersonKey(api.testDatabase, 'Rhea', ['personal_data']);
const declared = await api.request('/v1/personal-fields/account_id', { method: 'PUT' });
expect(declared.status).toBe(200);

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

/** Makes a subject as an API does that has the old key alone, in a transaction that ends once `commit` is called. */
async function beginLate(keys: WrappingKeys) {
  const { promise: ended, resolve: commit } = Promise.withResolvers<void>();
  const { promise: made, resolve: isMade } = Promise.withResolvers<void>();
  const late = api.database.transaction(async (query) => {
    const marketKey = openMarketKey(keys, await readState(query));
    const subjects = openSubjects({ database: { query, write: query }, keys, marketKey });
    await subjects.nameAll([{ field: 'account_id', text: 'late' }]);
    isMade();
    await ended;
  });
  await Promise.race([made, late]);
  return { late, commit };
}
const isWaiting = async () =>
  (
    await api.testDatabase.sql(
      `select from pg_locks where relation = 'subjects'::regclass and mode = 'ShareLock' and not granted`,
    )
  ).length > 0;
const keyOf = (line: string): WrappingKey => {
  const [keyId = '', base64 = ''] = line.trim().split(' ');
  return { keyId, key: Buffer.from(base64, 'base64') };
};

test('older keys are needed until their subjects are wrapped anew, and no token changes', async () => {
  const old = await pay(api, 'old');
  const { RISK_PRIVACY_KEYS: path } = folder.settings;
  const [oldKey, newKey] = [await readFile(path, 'utf8'), await readFile(folder.otherKeys, 'utf8')];
  await writeFile(path, newKey + oldKey);
  const both = await runApiHere(environment());
  // The key of the market wraps new subjects, so an API that was not restarted yet reads them, too.
  const fresh = await pay(both, 'new');
  expect([await read(both, old), await read(api, fresh)]).toEqual(['old', 'new']);

  const { sql } = api.testDatabase;
  const [kept] = await sql<{ key: Buffer }>(
    'select subject_key as key from subjects where token = $1',
    [old],
  );
  const { late, commit } = await beginLate([keyOf(oldKey)]);
  const run = () => runCommand(command, environment(), ['rewrap', '--json']);
  const whole = run();
  await Promise.race([whole, waitUntil(isWaiting, 10_000, 'a lock')]);
  // Posts do not queue behind it for as long as somebody else holds the table.
  await waitUntil(async () => !(await isWaiting()), 5_000, 'the end of the wait');
  await pay(both, 'meanwhile');
  commit();
  await late;
  expect(JSON.parse((await whole).stdout)).toEqual({ key: 'k2', subjects: 4, isWhole: true });
  expect(await wrapped()).toEqual(['k2']);
  // A run that was stopped leaves subjects with the old key.
  await sql(`update subjects set key_id = 'k1', subject_key = $2 where token = $1`, [
    old,
    kept?.key,
  ]);
  await pay(both, 'newer');
  expect(await wrapped()).toEqual(['k1', 'k2']);
  expect(JSON.parse((await run()).stdout).subjects).toBe(1);
  expect(JSON.parse((await run()).stdout).subjects).toBe(0);

  // An API without the new key makes no subject: the request may be repeated once the API has the key.
  const refused = await postOne(api, input({ account_id: 'later' }));
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, expect.any(String)]);
  expect(await count(api, 'subjects')).toBe(5);
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
