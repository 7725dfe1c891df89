/** Goal: people who may approve make another one by commands alone. Method: commands, each by the key of a person. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runRisk } from '../../../support/run-risk.ts';
import { type RunningApi, startRunningApi } from '../../../support/running-api.ts';

let api: RunningApi;
beforeAll(async () => {
  api = await startRunningApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const create = (...args: string[]) =>
  runRisk(['keys', 'create', '--json', ...args], { DATABASE_URL: api.testDatabase.url });
const officer = (name: string) => ['--role', 'risk_officer', '--identity', name];
/** `risk keys …` over the API. */
const by = (key: string, ...args: string[]) =>
  runRisk(['keys', ...args], { RISK_URL: api.url, RISK_API_KEY: key });

test('the refusal of a third person names the commands by which two people make one', async () => {
  const [ann, ben] = await Promise.all(
    ['Ann', 'Ben'].map(async (name) =>
      String(JSON.parse((await create(...officer(name))).stdout).key),
    ),
  );
  const refused = await create(...officer('Cy'));
  expect([refused.code, refused.stderr]).toEqual([
    1,
    'risk keys: Ann and Ben approve already: one of them sends bin/risk keys issue, another bin/risk keys confirm KEY_ID, each with the own key in RISK_API_KEY\n',
  ]);

  const issued = await by(ann ?? '', 'issue', ...officer('Cy'), '--json');
  const { key_id: id, key, confirmed_at: at } = JSON.parse(issued.stdout);
  expect([at, issued.stderr]).toEqual([
    null,
    `The key is shown once. risk_officer is in force when another person who may approve sends bin/risk keys confirm ${id}\n`,
  ]);
  const alone = await by(ann ?? '', 'confirm', id);
  expect([alone.code, alone.stderr]).toEqual([1, expect.stringContaining('another person')]);
  expect((await by(key, 'confirm', id)).code).toBe(1);
  const confirmed = JSON.parse((await by(ben ?? '', 'confirm', id, '--json')).stdout);
  expect(confirmed).toMatchObject({ identity: 'Cy', roles: ['risk_officer'] });

  const own = await by(key, 'issue', ...officer('Cy'), '--json');
  expect(JSON.parse(own.stdout).confirmed_at).not.toBeNull();
  expect(own.stderr).toBe('The key is shown once.\n');
});
