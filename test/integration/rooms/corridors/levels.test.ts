/**
 * Goal: levels of degradation that people set refuse submissions or all changes, and say who set each and how it ends. Method:
 * an API, and commands against it.
 */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { setLevelOf } from '../../../support/rooms/corridors/requests.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, input, postOne } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());

const setLevel = setLevelOf(api);
const isSubmitted = (corridor: string) => async () =>
  (await postOne(api, input({ corridor }))).status === 201;

test('level 3 of a corridor refuses its submissions alone, and what was accepted is read', async () => {
  const stored = await postOne(api, input());
  const set = await setLevel('corridor:US-EG', { level: 3, message: 'Disks are replaced.' });
  expect([set.status, set.body]).toEqual([
    200,
    expect.objectContaining({
      scope: 'corridor:US-EG',
      by_hand: expect.objectContaining({ scope: 'read-only:corridor:US-EG' }),
    }),
  ]);
  await waitUntil(async () => !(await isSubmitted('US-EG')()), 2000, 'submissions to be refused');
  const refused = await postOne(api, input());
  expect([refused.status, refused.headers.get('retry-after'), refused.body]).toEqual([
    503,
    '5',
    expect.objectContaining({
      type: 'urn:risk:problem:scope-stopped',
      detail:
        'This request stored nothing: the corridor is read-only (read-only:corridor:US-EG): Disks are replaced.',
    }),
  ]);
  expect(await isSubmitted('US-MX')()).toBe(true);
  const { transaction_id: id } = stored.body;
  expect((await api.request(`/v1/transactions/${id}`)).status).toBe(200);
  const { items } = (await answerOf(await api.request('/v1/degradation'))).body;
  const levels = items.map((one: { scope: string; level: number }) => [one.scope, one.level]);
  expect(levels).toEqual(
    expect.arrayContaining([
      ['market', 0],
      ['corridor:US-EG', 3],
      ['corridor:US-MX', 0],
    ]),
  );
  const { stdout: listed } = await api.risk('degradation', 'list');
  expect(listed).toMatch(
    /^corridor:US-EG +3 .*New trans.* since \S+Z: a test; clients read: Disks are replaced\.$/m,
  );
  const { stdout: said } = await api.risk('status');
  expect(said).toMatch(
    /^\S.* set corridor:US-EG to level 3 by hand at \S+Z: a test\. It lasts until somebody sends bin\/risk degradation set corridor:US-EG --level 0/m,
  );
  expect(said).not.toContain('#degraded');
  // The answer is of the switches as they were just changed.
  expect((await setLevel('corridor:US-EG', { level: 0 })).body.level).toBe(0);
  expect((await setLevel('corridor:US-EG', { level: 3 })).body.level).toBe(3);
  await setLevel('corridor:US-EG', { level: 0 });
  const ended = await api.risk(
    'degradation',
    'set',
    'corridor:US-EG',
    '--level',
    '0',
    '--reason',
    'over',
  );
  expect([ended.stderr, ended.stdout]).toEqual(['', expect.stringMatching(/^level +0$/m)]);
  await waitUntil(isSubmitted('US-EG'), 2000, 'submissions to be accepted');
});

test('level 3 of the market refuses every change, and another person ends it', async () => {
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['admin']);
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['admin']);
  await setLevel('market', { level: 3 }, ann);
  const label = () => api.post('/v1/keys', { roles: ['ingest'], client: 'shop', owner: 'test' });
  await waitUntil(async () => (await label()).status === 503, 2000, 'changes to be refused');
  const refused = await answerOf(await label());
  expect([refused.headers.get('x-risk-degradation'), refused.body.detail]).toEqual([
    '3',
    'Nothing was done: the market is read-only (read-only:market).',
  ]);
  expect((await postOne(api, input())).body.detail).toBe(
    'This request stored nothing: the market is read-only (read-only:market).',
  );
  const { stdout: said } = await api.risk('status');
  expect(said.match(/by hand/g)).toHaveLength(1);
  expect(said).toMatch(/^Ann set market to level 3 by hand .* another person sends bin\/risk deg/m);
  expect((await api.request('/v1/transactions?limit=1')).status).toBe(200);
  const { body: status } = await answerOf(await api.request('/v1/status'));
  expect(status.degradation).toBe(3);
  expect((await setLevel('market', { level: 0 }, ann)).status).toBe(409);
  const again = await api.risk('degradation', 'set', 'market', '--level', '3', '--reason', 'yet');
  expect(again.stderr).toMatch(/^Another person, with the role risk_officer or admin, ends the l/);
  expect((await setLevel('market', { level: 0 }, bob)).body).toMatchObject({ by_hand: null });
  await waitUntil(async () => (await label()).status === 201, 2000, 'changes to be made');
});
