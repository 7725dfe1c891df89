/**
 * Goal: people who may approve make another one by commands alone, and nobody gives themselves the role that reads clear values.
 * Method: commands, each by the key of a person.
 */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { type Ran, runRisk } from '../../../support/run-risk.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());

const create = (...args: string[]) =>
  runRisk(['keys', 'create', '--json', ...args], { DATABASE_URL: api.testDatabase.url });
const officer = (name: string) => ['--role', 'risk_officer', '--identity', name];
/** `risk keys …` over the API. */
const by = (key: string, ...args: string[]) =>
  runRisk(['keys', ...args], { RISK_URL: api.url, RISK_API_KEY: key });

/** The answer of a command that succeeds. */
function answerOf({ code, stdout, stderr }: Ran) {
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('risk keys:')]);
  return JSON.parse(stdout);
}

/** The API asks Postgres again for a key that it knows within a second. */
const inForce = (key: string, role: string) => {
  const headers = { Authorization: `Bearer ${key}` };
  const rolesOf = async () =>
    JSON.parse(await (await api.request('/v1/me', { headers })).text()).roles;
  return waitUntil(async () => (await rolesOf())?.join() === role, 10_000, role);
};

test('the refusal of a third person names the commands by which two people make one', async () => {
  const { key: ann } = answerOf(await create(...officer('Ann')));
  const { key: ben } = answerOf(await create(...officer('Ben')));
  const refused = await create(...officer('Cy'));
  expect([refused.code, refused.stderr]).toEqual([
    1,
    'risk keys: Ann and Ben approve already: one of them sends bin/risk keys issue, another bin/risk keys confirm KEY_ID, each with the own key in RISK_API_KEY\n',
  ]);

  const issued = await by(ann, 'issue', ...officer('Cy'), '--json');
  const { key_id: id, key, confirmed_at: at } = answerOf(issued);
  expect([at, issued.stderr]).toEqual([
    null,
    `The key is shown once. risk_officer is in force when another person who may approve sends bin/risk keys confirm ${id}\n`,
  ]);
  const alone = await by(ann, 'confirm', id);
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('another person')]);
  expect((await by(key, 'confirm', id)).code).toBe(1);
  const confirmed = answerOf(await by(ben, 'confirm', id, '--json'));
  expect(confirmed).toMatchObject({ identity: 'Cy', roles: ['risk_officer'] });

  await inForce(key, 'risk_officer');
  const own = await by(key, 'issue', ...officer('Cy'), '--json');
  expect(answerOf(own).confirmed_at).not.toBeNull();
  expect(own.stderr).toBe('The key is shown once.\n');
});

test('neither an admin nor a risk officer reads clear values before another person confirms it', async () => {
  const eve = await insertPersonKey(api.testDatabase, 'Eve', ['admin', 'risk_officer']);
  const dan = await insertPersonKey(api.testDatabase, 'Dan', ['risk_officer']);
  const wished = (holder: string, name: string) => ['--role', 'personal_data', holder, name];
  const ofNobody = await api.risk('keys', 'issue', ...wished('--identity', 'Eve'));
  const ofService = await by(eve, 'issue', ...wished('--owner', 'report'));
  expect([ofNobody.stderr, ofService.stderr]).toEqual([
    expect.stringContaining('may be the key of nobody'),
    expect.stringContaining('say identity instead of owner'),
  ]);
  expect((await by(dan, 'issue', ...wished('--identity', 'Dora'))).stderr).toContain(
    'with the roles risk_officer; a person who is an admin makes others',
  );
  const { key, ...made } = answerOf(
    await by(eve, 'issue', ...wished('--identity', 'Eve'), '--json'),
  );
  const read = async () => {
    const headers = { Authorization: `Bearer ${key}`, 'Risk-Reason': 'x' };
    return await api.request(`/v1/subjects/tok_${'0'.repeat(32)}`, { headers });
  };
  const unconfirmed = await read();
  expect([made.confirmed_at, unconfirmed.status]).toEqual([null, 403]);
  expect(await unconfirmed.json()).toMatchObject({
    detail: 'The request needs the role personal_data, and the key has none in force.',
  });
  expect((await by(eve, 'confirm', made.key_id)).stderr).toContain('another person must confirm');
  expect((await by(dan, 'confirm', made.key_id)).code).toBe(0);
  await inForce(key, 'personal_data');
  expect((await read()).status).toBe(404);
});
