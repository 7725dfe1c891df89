/**
 * Goal: people log in to the console by a provider of identities, with the roles of their groups, and nobody else does. Method: a
 * real provider (oidc-provider) in this process; a browser is played by requests with cookies.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { afterAll, expect, test } from 'vitest';
import { insertPersonKey } from '../../../support/people.ts';
import { openRunningApi } from '../../../support/running-api.ts';
import { answerOf, send } from '../../../support/submit.ts';
import { waitUntil } from '../../../support/wait-until.ts';

const CLIENT = { id: 'risk-engine', secret: 'a-secret-of-the-client-for-tests' };
/** As the console would be reached; requests go to where the API listens. */
const OWN = 'https://risk.example';
type Account = { groups?: readonly string[]; email?: string };
const accounts = new Map<string, Account>();

const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: CLIENT.id,
      client_secret: CLIENT.secret,
      redirect_uris: [`${OWN}/oidc/callback`],
      post_logout_redirect_uris: [`${OWN}/console`],
    },
  ],
  claims: { email: ['email', 'email_verified'], profile: ['groups'] },
  cookies: { keys: ['tests'] },
  ttl: { Interaction: 600, Session: 600, Grant: 600, AccessToken: 600, IdToken: 600 },
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub, ...accounts.get(sub) }) }),
});
server.on('request', provider.callback());
const api = await openRunningApi({
  RISK_OIDC_ISSUER: issuer,
  RISK_OIDC_CLIENT_ID: CLIENT.id,
  RISK_OIDC_CLIENT_SECRET: CLIENT.secret,
  RISK_OIDC_URL: OWN,
  RISK_OIDC_ROLES: 'risk-analysts=analyst,risk-ops=operator,risk-officers=risk_officer',
  RISK_UNKNOWN_KEYS_PER_SECOND: '1000',
});
afterAll(() => server.close());

/** A browser with the cookies of both sites, which follows redirects and fills in the forms of the provider. */
function openBrowser(subject: string) {
  const cookies = new Map<string, string>();
  const take = (answer: Response) => {
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return answer;
  };
  const visit = async (url: string, form?: Record<string, string>) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    return take(
      await fetch(url.replace(OWN, api.url), {
        redirect: 'manual',
        headers: { cookie },
        ...(form && { method: 'POST', body: new URLSearchParams(form) }),
      }),
    );
  };
  const follow = async (from: Response, base: string, until: string): Promise<string> => {
    const next = new URL(from.headers.get('location') ?? '', base).href;
    if (next.startsWith(until)) return next;
    const answer = await visit(next);
    if (answer.status !== 200) return await follow(answer, next, until);
    const page = await answer.text();
    const form = page.includes('name="login"')
      ? { prompt: 'login', login: subject, password: 'x' }
      : { prompt: 'consent' };
    return await follow(await visit(next, form), next, until);
  };
  return {
    cookies,
    visit,
    /** @returns the URL by which the provider sends the browser back */
    toCallback: async () => {
      const begun = await visit(`${OWN}/oidc/login`);
      expect(begun.status).toBe(303);
      return await follow(begun, OWN, `${OWN}/oidc/callback`);
    },
    me: async () => {
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
      return await answerOf(await fetch(`${api.url}/v1/me`, { headers: { cookie } }));
    },
  };
}

async function logIn(subject: string, account: Account) {
  accounts.set(subject, { email: `${subject}@corp.example`, ...account });
  const browser = openBrowser(subject);
  const back = await browser.toCallback();
  const answer = await browser.visit(back);
  const page = answer.status === 303 ? '' : await answer.text();
  return { browser, back, answer, page };
}

test('a login has the roles of its groups, and those of the next login when they change', async () => {
  const groups = ['risk-analysts', 'risk-officers', 'x'];
  const { browser, answer } = await logIn('cy', { groups });
  expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console']);
  const { body } = await browser.me();
  // Nobody of this name is a person of the engine, so nothing is approved.
  expect(body).toMatchObject({ roles: ['analyst'], owner: 'cy@corp.example', identity: null });
  const again = await logIn('cy', { groups: ['risk-analysts'] });
  expect((await again.browser.me()).body.key_id).toBe(body.key_id);
  const moved = await logIn('cy', { groups: ['risk-ops'] });
  expect((await moved.browser.me()).body.roles).toEqual(['operator']);
  const isOut = async () => (await browser.me()).status === 401;
  await waitUntil(isOut, 1000, 'the end of the old session');
});

test('a person of the engine stays that person, and approves once another person has confirmed it', async () => {
  await insertPersonKey(api.testDatabase, 'Di@corp.example', ['analyst']);
  const officer = await insertPersonKey(api.testDatabase, 'Ed', ['risk_officer']);
  const { browser } = await logIn('di', { groups: ['risk-officers', 'risk-analysts'] });
  const { body } = await browser.me();
  expect(body).toMatchObject({ identity: 'Di@corp.example', roles: ['analyst'] });
  await logIn('di', { groups: ['risk-officers', 'risk-analysts'] });
  const { items } = (await send(api, 'GET', '/v1/approvals?kind=key', undefined, officer)).body;
  expect(items).toHaveLength(1);
  expect(items).toMatchObject([{ subject: body.key_id, proposed_by: 'Di@corp.example' }]);
  const path = `/v1/approvals/${items[0].approval_id}/confirm`;
  expect((await send(api, 'POST', path, undefined, officer)).status).toBe(200);
  const isOfficer = async () => (await browser.me()).body.roles.includes('risk_officer');
  await waitUntil(isOfficer, 1000, 'the role');
});

test('a person whom a key of nobody has made logs in, and never approves', async () => {
  const identity = 'Fay@corp.example';
  expect((await send(api, 'POST', '/v1/keys', { identity, roles: ['analyst'] })).status).toBe(201);
  const { browser } = await logIn('fay', { groups: ['risk-officers', 'risk-analysts'] });
  expect((await browser.me()).body).toMatchObject({ identity, roles: ['analyst'] });
});

test('who has no role, another name, or was shut out gets a page that says so', async () => {
  const none = await logIn('eve', { groups: ['others'] });
  expect([none.answer.status, none.page]).toEqual([403, expect.stringContaining('no role here')]);
  expect(none.browser.cookies.has('__Host-risk-session')).toBe(false);
  // An Ogham space is a space for people, but none that Postgres trims.
  for (const email of ['cy@corp.example', 'Cy@corp.example', '\u1680cy@corp.example\u1680']) {
    const taken = await logIn('mallory', { groups: ['risk-ops'], email });
    expect([email, taken.answer.status, taken.page]).toEqual([
      email,
      403,
      expect.stringContaining('somebody else'),
    ]);
  }
  const { browser } = await logIn('gus', { groups: ['risk-ops'] });
  const { body } = await browser.me();
  await api.request(`/v1/keys/${body.key_id}`, { method: 'DELETE' });
  await waitUntil(async () => (await browser.me()).status === 401, 1000, 'the end of the session');
  const shutOut = await logIn('gus', { groups: ['risk-ops'] });
  const refused = [403, expect.stringContaining('was revoked')];
  expect([shutOut.answer.status, shutOut.page]).toEqual(refused);
});

test('a callback counts once, in the browser that has begun the login, with its state', async () => {
  const { back, browser } = await logIn('hal', { groups: ['risk-ops'] });
  expect((await browser.visit(back)).status).toBe(403);
  const other = openBrowser('hal');
  expect((await other.visit(await openBrowser('hal').toCallback())).status).toBe(403);
  const own = openBrowser('hal');
  const forged = new URL(await own.toCallback());
  forged.searchParams.set('state', 'forged');
  const refused = await own.visit(forged.href);
  expect([refused.status, await refused.text()]).toEqual([
    403,
    expect.stringContaining('does not fit'),
  ]);
});

test('the console learns of the provider, and logs out of it', async () => {
  const told = await answerOf(await fetch(`${api.url}/oidc`));
  expect(told.body).toEqual({ provider: new URL(issuer).host });
  const out = await fetch(`${api.url}/oidc/logout`, { redirect: 'manual' });
  expect(out.headers.get('location')).toContain(`${issuer}/session/end?`);
});
