/** Goal: the answer to a stop says what it replaced and what may not have been meant. Method: commands against an API. */
import { expect, test } from 'vitest';
import { openForFile } from '../../../support/open-for-file.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, input, postOne, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openForFile(startRunningApi());

const put = (scope: string, body: object) => send(api, 'PUT', `/v1/switches/${scope}`, body);
const stop = (scope: string, more: object = {}) =>
  put(scope, { stopped: true, reason: 'a test', ...more });
const isOpen = async () => (await postOne(api, input({ corridor: 'US-MX' }))).status === 201;

test('a corridor of a market without a month is shown', async () => {
  const { status, body } = await answerOf(await api.request('/v1/corridors/US-MX'));
  expect([status, body.active_accounts, body.availability]).toEqual([200, 0, null]);
});

test('a second stop keeps the message and says who stopped, and a start of what is not stopped says so', async () => {
  const message = 'Payouts to Mexico are paused.';
  await stop('corridor:US-MX', { message });
  const again = await api.risk('switch', 'stop', 'corridor:US-MX', '--reason', 'still');
  expect(again.stdout).toMatch(/^stop +\S.* since \S+Z: still; clients read: Payouts to Mexico/m);
  expect(again.stderr).toMatch(
    /^corridor:US-MX was stopped already, by .+ since \S+Z: a test; clients read: Payouts to Mexico are paused\.\.\n$/,
  );
  const anew = await stop('corridor:US-MX', { message: 'Until noon.' });
  expect([anew.body.before.message, anew.body.stop.message]).toEqual([message, 'Until noon.']);
  const started = await api.risk('switch', 'start', 'corridor:US-MX', '--reason', 'over');
  expect(started.stderr).toBe('');
  const twice = await api.risk('switch', 'start', 'corridor:US-MX', '--reason', 'over');
  expect([twice.code, twice.stderr]).toEqual([0, 'corridor:US-MX was not stopped.\n']);
  await waitUntil(isOpen, 2000, 'US-MX to be open');
});

test('a stop of a client without a key says so, and names the nearest one', async () => {
  await api.post('/v1/keys', { roles: ['ingest'], client: 'shop', owner: 'test' });
  const slip = await api.risk('switch', 'stop', 'client:sho', '--reason', 'a flood');
  expect([slip.code, slip.stderr]).toEqual([
    0,
    "No key belongs to a client 'sho' yet; client:shop has keys.\n",
  ]);
  expect((await stop('client:shpoo')).body.notice).toMatch(
    /^No key belongs to a client 'shpoo' yet: clients with keys are .*shop\.$/,
  );
  expect((await stop('client:shop')).body.notice).toBeNull();
  const bare = await stop('US-EG');
  expect([bare.status, bare.body.detail]).toEqual([
    404,
    expect.stringContaining('; corridor:US-EG is one.'),
  ]);
  for (const scope of ['client:sho', 'client:shpoo', 'client:shop'])
    await put(scope, { stopped: false, reason: 'over' });
});
