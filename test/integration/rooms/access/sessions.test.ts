/**
 * Goal: a browser's session has the roles of its key, ends when it should, and no other site's page can use it. Method: an API
 * process, requests with the headers that a browser sends, and times moved in the database.
 */
import { describe, expect, test } from 'vitest';
import { type Browser, openBrowser } from '../../../support/browser.ts';
import { expectProblem } from '../../../support/problem.ts';
import { openRunningApi, RUNNING_API_KEY } from '../../../support/running-api.ts';
import { answerOf } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const api = await openRunningApi();
const browser = openBrowser(api.url);

const NAME = '__Host-risk-session';
const logIn = (token?: string) => browser.logIn(token);
const ask = (...asked: Parameters<Browser['ask']>) => browser.ask(...asked);
const statusOf = (cookie: string) => browser.statusOf(cookie);
const ends = (cookie: string) =>
  waitUntil(async () => (await statusOf(cookie)) === 401, 2000, 'the session to end');

async function makeKey(roles: readonly string[]): Promise<{ key_id: string; key: string }> {
  return (await answerOf(await api.post('/v1/keys', { roles, owner: 'me' }))).body;
}

describe('a login', () => {
  test('sets a cookie that scripts cannot read and other sites do not send', async () => {
    const answer = await api.request('/v1/sessions', { method: 'POST' });
    const cookie = answer.headers.get('set-cookie') ?? '';
    const attributes = 'Max-Age=43200; Path=/; Secure; HttpOnly; SameSite=Strict';
    expect(cookie).toMatch(new RegExp(`^${NAME}=[A-Za-z0-9]{43}; ${attributes}$`));
    const stored = await api.testDatabase.sql<{ token_hash: Buffer }>(
      'select token_hash from sessions',
    );
    const token = /=(\w+)/.exec(cookie)?.[1] ?? '';
    expect(stored.map((row) => row.token_hash.toString())).not.toContain(token);
    const { body } = await answerOf(await ask(`${NAME}=${token}`));
    expect(body).toMatchObject({ owner: 'RISK_BOOTSTRAP_KEY', session_id: expect.any(String) });
  });

  test('by a session is refused: it would never end', async () => {
    const { cookie } = await logIn();
    for (const path of ['/v1/sessions', '/v1/sessions/links']) {
      await expectProblem(await ask(cookie, path, 'POST'), 409);
    }
  });
});

describe('a link', () => {
  const makeLink = async () =>
    (await answerOf(await api.request('/v1/sessions/links', { method: 'POST' }))).body.token;

  test('logs in once, whoever is first', async () => {
    const token: string = await makeLink();
    const headers = { Authorization: `Bearer ${token}` };
    const answers = await Promise.all(
      [1, 2, 3].map(() => fetch(`${api.url}/v1/sessions`, { method: 'POST', headers })),
    );
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401]);
    await expectProblem(await fetch(`${api.url}/v1/sessions`, { method: 'POST', headers }), 401);
  });

  test('does nothing else', async () => {
    const headers = { Authorization: `Bearer ${await makeLink()}` };
    for (const [method, path] of [
      ['GET', '/v1/me'],
      ['POST', '/v1/sessions/links'],
      ['GET', '/v1/sessions'],
      ['GET', '/metrics'],
    ]) {
      await expectProblem(await fetch(`${api.url}${path}`, { method: method ?? '', headers }), 401);
    }
  });

  test('expires', async () => {
    const headers = { Authorization: `Bearer ${await makeLink()}` };
    await api.testDatabase.sql('update login_links set expires_at = now()');
    await expectProblem(await fetch(`${api.url}/v1/sessions`, { method: 'POST', headers }), 401);
  });
});

describe('a session', () => {
  test.each([
    ['half an hour after its last use', "used_at = now() - interval '31 minutes'"],
    [
      'twelve hours after its login',
      "created_at = now() - interval '13 hours', expires_at = now()",
    ],
  ])('ends %s', async (_, change) => {
    const { cookie, id } = await logIn();
    expect(await statusOf(cookie)).toBe(200);
    await api.testDatabase.sql(`update sessions set ${change} where session_id = $1`, [id]);
    await ends(cookie);
  });

  test('stays open while it is used, and figures are no use', async () => {
    const usedAt = async (id: string) =>
      (
        await api.testDatabase.sql<{ at: Date }>(
          'select used_at as at from sessions where session_id = $1',
          [id],
        )
      )[0]?.at.getTime() ?? 0;
    const { cookie, id } = await logIn();
    const long =
      "update sessions set used_at = now() - interval '20 minutes' where session_id = $1";
    await api.testDatabase.sql(long, [id]);
    const before = await usedAt(id);
    for (const path of ['/v1/status', '/v1/live', '/v1/reviews/status'])
      expect((await ask(cookie, path)).status).toBe(200);
    expect(await usedAt(id)).toBe(before);
    expect((await ask(cookie, '/v1/corridors')).status).toBe(200);
    expect(await usedAt(id)).toBeGreaterThan(before + 19 * 60_000);
  });

  test('ends with its key within a second, and when it is ended', async () => {
    const { key, key_id } = await makeKey(['analyst']);
    const [first, second] = [await logIn(key), await logIn(key)];
    expect((await ask(first.cookie, `/v1/sessions/${second.id}`, 'DELETE')).status).toBe(204);
    await ends(second.cookie);
    expect(await statusOf(first.cookie)).toBe(200);
    await api.request(`/v1/keys/${key_id}`, { method: 'DELETE' });
    await ends(first.cookie);
  });

  test('has the roles of its key, and reaches the sessions of its key alone', async () => {
    const own = await logIn((await makeKey(['analyst'])).key);
    const other = await logIn((await makeKey(['analyst'])).key);
    await expectProblem(await ask(own.cookie, '/v1/keys'), 403);
    await expectProblem(await ask(own.cookie, `/v1/sessions/${other.id}`, 'DELETE'), 404);
    const list = async (cookie: string) =>
      (await answerOf(await ask(cookie, '/v1/sessions'))).body.items.map(
        (one: { session_id: string; current: boolean }) => [one.session_id, one.current],
      );
    expect(await list(own.cookie)).toEqual([[own.id, true]]);
    expect(await list((await logIn()).cookie)).toContainEqual([other.id, false]);
  });

  test('is one of at most fifty, however often twenty logins come at once', async () => {
    const { key, key_id } = await makeKey(['analyst']);
    const headers = { Authorization: `Bearer ${key}` };
    const logInOnce = () => fetch(`${api.url}/v1/sessions`, { method: 'POST', headers });
    for (let round = 0; round < 8; round++) {
      const answers = await Promise.all(Array.from({ length: 20 }, logInOnce));
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(201));
    }
    const open = await api.testDatabase.sql(
      'select from sessions where key_id = $1 and ended_at is null',
      [key_id],
    );
    expect(open).toHaveLength(50);
  });
});

test.each([
  ['another origin', { Origin: 'https://example.com' }],
  ['no origin', { Origin: '' }],
  ['another port', { Origin: 'http://127.0.0.1:1' }],
  ['an opaque origin', { Origin: 'null' }],
  ['no header that a form cannot send', { 'X-Risk-Console': '' }],
])('a request with a cookie from another page is refused with %s', async (_, changed) => {
  const { cookie, id } = await logIn();
  const headers = new Headers({ Cookie: cookie, Origin: api.url, 'X-Risk-Console': '1' });
  for (const [name, value] of Object.entries(changed)) {
    if (value === '') headers.delete(name);
    else headers.set(name, value);
  }
  const answer = await fetch(`${api.url}/v1/sessions/${id}`, { method: 'DELETE', headers });
  const { body } = await expectProblem(answer, 403);
  expect(body.type).toBe('urn:risk:problem:cross-site-request');
  expect(await statusOf(cookie)).toBe(200);
});

test('a token of one kind never passes for another', async () => {
  const { cookie } = await logIn();
  // The token is known as a session.
  expect(await statusOf(cookie)).toBe(200);
  const token = cookie.slice(NAME.length + 1);
  const headers = { Authorization: `Bearer ${token}` };
  await expectProblem(await fetch(`${api.url}/v1/me`, { headers }), 401);
  await expectProblem(await ask(`${NAME}=${RUNNING_API_KEY.replaceAll('-', '')}`), 401);
});
