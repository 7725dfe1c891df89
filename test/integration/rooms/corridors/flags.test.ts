/**
 * Goal: a capability whose flag is off is refused or waits, in every process within a second, and goes on afterwards; levels that
 * people set refuse submissions or all changes, and the emergency turns off all flags. Method: an API and a worker on one pair of
 * stores, and a receiver of webhooks. Shadows are in models-in-force.test.ts.
 */
import { expect, test } from 'vitest';
import type { Flag } from '../../../../src/core/domain/corridor.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { endControl, putControl } from '../../../support/rooms/corridors/requests.ts';
import { faultsOf } from '../../../support/rooms/webhooks/documented-event.ts';
import { startReceiver } from '../../../support/rooms/webhooks/receiver.ts';
import { startRunningApi } from '../../../support/running-api.ts';
import { answerOf, count, input, postOne } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { startWorkerHere } from '../../../support/worker-rig.ts';

const api = await openForFile(startRunningApi({ RISK_WEBHOOK_LOOPBACK: 'allow' }));

const turn = (name: Flag, enabled: boolean, more: object = {}) =>
  putControl(api, 'off', `flag:${name}`, { in_force: !enabled, ...more });
const STOPPED = 'urn:risk:problem:scope-stopped';
const until = (ask: () => Promise<Response>, status: number) =>
  waitUntil(
    async () => {
      const answer = await ask();
      if (answer.status === 503) {
        // Another 503 says that as many exports are running as may.
        return status === 503 && (await answerOf(answer)).body.type === STOPPED;
      }
      await answer.body?.cancel();
      return answer.status === status;
    },
    2000,
    `the status ${status}`,
  );

const get = (path: string) => () => api.request(path);
const events = () => api.request('/v1/live', { headers: { Accept: 'text/event-stream' } });
const REFUSED: [Flag, () => Promise<Response>][] = [
  ['what-if', () => api.post('/v1/evaluate', input())],
  ['exports', get('/v1/exports/transactions')],
  ['live-figures', events],
];

test.each(REFUSED)('requests are refused while the flag %s is off', async (flag, ask) => {
  await until(ask, 200);
  const off = await turn(flag, false);
  expect([off.status, off.body.control.scope]).toEqual([200, `flag:${flag}`]);
  await until(ask, 503);
  const refused = await answerOf(await ask());
  expect([refused.headers.get('retry-after'), refused.body]).toEqual([
    '5',
    expect.objectContaining({
      type: STOPPED,
      detail: `The flag ${flag} is off (off:flag:${flag}).`,
    }),
  ]);
  // A flag that is off stops nothing that is submitted.
  expect((await postOne(api, input())).status).toBe(201);
  expect((await turn(flag, true)).body.control).toBeNull();
  await until(ask, 200);
});

test('a search answers null in place of its total while totals are off', async () => {
  const total = async () =>
    (await answerOf(await api.request('/v1/transactions?limit=1&total=true'))).body.total;
  expect(await total()).toMatchObject({ more: false });
  await turn('totals', false);
  await waitUntil(async () => (await total()) === null, 2000, 'no total');
  const without = await answerOf(await api.request('/v1/transactions?limit=1'));
  expect([without.status, 'total' in without.body]).toEqual([200, false]);
  await turn('totals', true);
  await waitUntil(async () => (await total()) !== null, 2000, 'a total');
});

test('deliveries wait while their flag is off; a second authority is told of a decision', async () => {
  await using receiver = await startReceiver();
  const wanted = { url: receiver.url, event_types: ['transaction.decided'] };
  expect((await api.post('/v1/webhooks', { ...wanted, verdicts: ['approve'] })).status).toBe(201);
  const told = { url: receiver.url, event_types: ['approval.waiting'] };
  expect((await api.post('/v1/webhooks', told)).status).toBe(201);
  const dee = await insertPersonKey(api.testDatabase, 'Dee', ['operator', 'admin']);
  const eli = await insertPersonKey(api.testDatabase, 'Eli', ['risk_officer']);
  await insertPersonKey(api.testDatabase, 'Flo', ['operator']);
  const freeze = async (in_force: boolean, key: string) => {
    const body = { in_force, reason: 'stolen cards' };
    expect((await putControl(api, 'freeze', 'corridor:US-IN', body, key)).status).toBe(200);
  };
  await freeze(true, dee);
  await turn('webhooks', false);
  const environment = {
    DATABASE_URL: api.testDatabase.url,
    REDIS_URL: api.redisService.url,
    RISK_WEBHOOK_LOOPBACK: 'allow',
  };
  await using _ = startWorkerHere(environment, {});
  await postOne(api, input());
  const rows = async () =>
    await api.testDatabase.sql<{ state: string; attempts: number }>(
      'select state, attempts from webhook_deliveries',
    );
  await waitUntil(async () => (await rows()).length > 0, 15_000, 'a delivery');
  // The worker looks for due deliveries twice as often as controls are read.
  const { body: before } = await answerOf(await api.post('/v1/transactions', input()));
  await waitUntil(async () => (await count(api, 'scores')) > 1, 10_000, before.transaction_id);
  expect([receiver.received, await rows()]).toEqual([
    [],
    expect.arrayContaining([{ state: 'waiting', attempts: 0 }]),
  ]);
  await turn('webhooks', true);
  const received = () => receiver.received.map(({ body }) => JSON.parse(body));
  const ofType = (type: string) => received().filter((body) => body.type === type);
  await waitUntil(async () => ofType('transaction.decided').length > 0, 5000, 'the delivery');
  const isTold = async () => ofType('approval.waiting').length > 0;
  await waitUntil(isTold, 15_000, 'the second authority to be told');
  const [authority] = ofType('approval.waiting');
  expect(faultsOf(authority)).toEqual([]);
  const { action, subject, reason, who, next, recipients } = authority.data;
  expect([action, subject, reason, who]).toEqual([
    'control.set',
    'freeze:corridor:US-IN',
    'stolen cards',
    'Dee',
  ]);
  expect(next).toBe(
    'To end freeze:corridor:US-IN takes another person than Dee with the role risk_officer or admin.',
  );
  expect(recipients).toContain('Eli');
  expect(recipients).not.toContain('Dee');
  expect(recipients).not.toContain('Flo');
  await freeze(false, eli);
});

test('the command lists what is off and turns it off and on, and the audit log has who did', async () => {
  const risk = (...words: string[]) => api.risk('controls', ...words);
  const off = await risk('set', 'off', 'flag:exports', '--reason', 'the disks are busy');
  expect([off.code, off.stderr]).toEqual([0, '']);
  expect((await risk('list')).stdout).toMatch(/^off +flag:exports .*the disks are busy/m);
  expect((await risk('end', 'off', 'flag:exports', '--reason', 'over')).code).toBe(0);
  const { items } = (await answerOf(await api.request('/v1/audit?limit=2'))).body;
  expect(
    items.map((one: { action: string; subject: string }) => [one.action, one.subject]),
  ).toEqual([
    ['control.end', 'off:flag:exports'],
    ['control.set', 'off:flag:exports'],
  ]);
  const past = await turn('totals', false, { ends_at: '2020-01-01T00:00:00Z' });
  expect([past.status, past.body.errors[0].pointer]).toEqual([422, '/ends_at']);
  const detail = expect.stringMatching(
    /^No scope of off is called 'flag:nothing': allowed is flag:/,
  );
  expect(await turn('nothing' as Flag, false)).toMatchObject({ status: 404, body: { detail } });
});

const setReadOnly = (scope: string, more: object = {}, key?: string) =>
  putControl(api, 'read-only', scope, more, key);
const levelOf = async (scope: string) =>
  (await answerOf(await api.request('/v1/degradation'))).body.items.find(
    (one: { scope: string }) => one.scope === scope,
  );
const isSubmitted = (corridor: string) => async () =>
  (await postOne(api, input({ corridor }))).status === 201;

test('level 3 of a corridor refuses its submissions alone, and what was accepted is read', async () => {
  const stored = await postOne(api, input());
  const set = await setReadOnly('corridor:US-EG', { message: 'Disks are replaced.' });
  expect([set.status, set.body.control.scope]).toEqual([200, 'corridor:US-EG']);
  expect((await levelOf('corridor:US-EG')).by_hand).toEqual(set.body.control);
  const standing = (await answerOf(await api.request('/v1/corridors/US-EG'))).body;
  expect([standing.state, standing.message]).toEqual(['read-only', 'Disks are replaced.']);
  await waitUntil(async () => !(await isSubmitted('US-EG')()), 2000, 'submissions to be refused');
  const refused = await postOne(api, input());
  expect([refused.status, refused.headers.get('retry-after'), refused.body]).toEqual([
    503,
    '5',
    expect.objectContaining({
      type: 'urn:risk:problem:scope-stopped',
      detail:
        'This request stored nothing: the corridor is read-only (corridor:US-EG): Disks are replaced.',
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
  expect(said).toMatch(/^Degradation is at level 3: bin\/risk degradation list .*#degraded\.$/m);
  // The levels are of the controls as they were just changed.
  await setReadOnly('corridor:US-EG', { in_force: false });
  expect((await levelOf('corridor:US-EG')).level).toBe(0);
  await setReadOnly('corridor:US-EG');
  expect((await levelOf('corridor:US-EG')).level).toBe(3);
  const end = ['end', 'read-only', 'corridor:US-EG', '--reason', 'over'];
  const ended = await api.risk('controls', ...end);
  expect([ended.code, ended.stderr]).toEqual([
    ...[0, 'The control read-only:corridor:US-EG has ended.\n'],
  ]);
  expect((await levelOf('corridor:US-EG')).level).toBe(0);
  await waitUntil(isSubmitted('US-EG'), 2000, 'submissions to be accepted');
});

test('level 3 of the market refuses every change, and another person ends it', async () => {
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['admin']);
  const ann = await insertPersonKey(api.testDatabase, 'Ann', ['admin']);
  await setReadOnly('market', {}, ann);
  const label = () => api.post('/v1/keys', { roles: ['ingest'], client: 'shop', owner: 'test' });
  await waitUntil(async () => (await label()).status === 503, 2000, 'changes to be refused');
  const refused = await answerOf(await label());
  expect([refused.headers.get('x-risk-degradation'), refused.body.detail]).toEqual([
    '3',
    'Nothing was done: the market is read-only (market).',
  ]);
  expect((await postOne(api, input())).body.detail).toBe(
    'This request stored nothing: the market is read-only (market).',
  );
  const { stdout: said } = await api.risk('status');
  expect(said).toMatch(/^Degradation is at level 3: bin\/risk degradation list .*#degraded\.$/m);
  expect((await api.request('/v1/transactions?limit=1')).status).toBe(200);
  const { body: status } = await answerOf(await api.request('/v1/status'));
  expect(status.degradation).toBe(3);
  const end = { in_force: false };
  expect((await setReadOnly('market', end, ann)).status).toBe(409);
  const again = await api.risk('controls', 'set', 'read-only', 'market', '--reason', 'yet');
  expect(again.stderr).toMatch(
    /^Another person, with the role risk_officer or admin, ends it: bin/m,
  );
  expect((await setReadOnly('market', end, bob)).body.control).toBeNull();
  await waitUntil(async () => (await label()).status === 201, 2000, 'changes to be made');
});

test('the emergency turns every flag off, and transactions are still accepted', async () => {
  const bob = await insertPersonKey(api.testDatabase, 'Bob', ['admin']);
  await putControl(api, 'emergency', 'market');
  for (const [, ask] of REFUSED) await until(ask, 503);
  expect((await answerOf(await api.post('/v1/evaluate', input()))).body.detail).toBe(
    'The flag what-if is off (emergency:market).',
  );
  const accepted = await postOne(api, input());
  expect([accepted.status, accepted.headers.get('x-risk-degradation')]).toEqual([201, '4']);
  expect((await api.risk('degradation', 'list')).stdout).toMatch(
    /^market +4 +- +People have turned/m,
  );
  expect((await endControl(api, 'emergency', 'market', bob)).body.control).toBeNull();
  for (const [, ask] of REFUSED) await until(ask, 200);
});

test('a stream of figures ends when its flag is turned off, and the figures are answered once', async () => {
  const stream = await events();
  await turn('live-figures', false);
  for await (const _ of stream.body ?? []) {
    // Reads on until the server ends it.
  }
  expect((await api.request('/v1/live')).status).toBe(200);
  await turn('live-figures', true);
  await until(events, 200);
});
