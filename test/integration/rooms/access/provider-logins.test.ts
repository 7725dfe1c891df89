/**
 * Goal: people log in by providers as these are in the world, and a refusal says why and changes nothing. Method: a provider in the
 * forms of eight real ones answers as each test says; routes, database and log are the engine's own.
 */
import { describe, expect, test } from 'vitest';
import { PROVIDER_TOKENS } from '../../../foreign/provider-tokens.ts';
import { openTestDatabase } from '../../../support/database.ts';
import { type ProviderForm, startProvider } from '../../../support/identity-provider.ts';
import { insertPersonKey } from '../../../support/people.ts';
import { openLogins } from '../../../support/provider-logins.ts';

const { testDatabase, database } = await openTestDatabase();
const stores = { database, testDatabase };

type Settings = Readonly<Record<string, string>>;

/** A provider whose people have an address, and the logins of its browser. */
async function open(form: ProviderForm = {}, settings: Settings = {}) {
  const stack = new AsyncDisposableStack();
  const usual = { email: 'ann@corp.example', groups: ['risk-analysts'] };
  const provider = stack.use(
    await startProvider({ ...form, idToken: { ...usual, ...form.idToken } }),
  );
  const logins = await openLogins(stores, provider, settings);
  const usually = provider.form;
  return {
    provider,
    ...logins,
    /** Logs in where the provider is of another form. */
    logInWith: async ({ idToken, info, ...others }: ProviderForm) => {
      const all = { ...usually.info, ...info };
      provider.form = {
        ...usually,
        ...others,
        idToken: { ...usually.idToken, ...idToken },
        ...((usually.info ?? info) && { info: all }),
      };
      const answer = await logins.logIn();
      provider.form = usually;
      return answer;
    },
    [Symbol.asyncDispose]: async () => await stack.disposeAsync(),
  };
}

describe.each(PROVIDER_TOKENS)('a login by $provider', ({ form, settings, owner, ...claims }) => {
  test('has the roles that the provider names, and keeps them where it names none', async () => {
    await using stack = new AsyncDisposableStack();
    const provider = stack.use(await startProvider(form));
    const { logIn, begin, keys } = await openLogins(stores, provider, settings);
    const asked = new URL((await begin()).location).searchParams;
    expect(asked.get('scope')).toBe(settings['RISK_OIDC_SCOPES'] ?? 'openid email profile');
    expect(await logIn()).toMatchObject({ status: 303, location: '/console' });
    const before = await keys();
    expect(before).toEqual([{ keyId: expect.any(String), roles: ['analyst'], owner }]);
    for (const [what, sentence] of [
      ['leftOut', `no claim ${settings['RISK_OIDC_CLAIM'] ?? 'groups'}`],
      ['unverified', 'is no verified name'],
    ] as const) {
      const { idToken, info } = claims[what];
      provider.form = {
        ...form,
        idToken: { ...form.idToken, ...idToken },
        info: { ...form.info, ...info },
      };
      const { status, page } = await logIn();
      expect([what, status, page]).toEqual([what, 403, expect.stringContaining(sentence)]);
      expect(await keys()).toEqual(before);
    }
  });
});

test.each<ProviderForm>([
  { idToken: { email_verified: 'false' } },
  { idToken: { email_verified: 'TRUE' } },
  { idToken: { email_verified: 1 } },
  { idToken: { email_verified: '' } },
  { idToken: { email_verified: null } },
  { idToken: { email_verified: [true] } },
  { idToken: { verified_email: false } },
  { idToken: { emailVerified: 'no' } },
  { idToken: { xms_edov: '0' } },
  { idToken: { email_verified: true }, info: { email_verified: 'false' } },
  { idToken: { email: undefined }, info: { email: 'Eve@corp.example', email_verified: 'no' } },
])('a name with %j takes no person', async (form) => {
  await insertPersonKey(testDatabase, 'Eve@corp.example', ['analyst']);
  await using logins = await open({ idToken: { email: 'eve@corp.example' } });
  const { status, page } = await logins.logInWith(form);
  expect([status, page]).toEqual([403, expect.stringMatching(/no verified name .* not true/)]);
  expect(await logins.keys()).toEqual([]);
  expect(await logins.logInWith({ idToken: { email_verified: 'true' } })).toMatchObject({
    status: 303,
  });
  expect(await logins.keys()).toMatchObject([{ owner: 'Eve@corp.example' }]);
});

test('roles that are absent or unreadable change nothing, and an empty list ends the session', async () => {
  await using logins = await open({ info: {} });
  await logins.logIn();
  const before = await logins.keys();
  const unsaid = [undefined, null, ''].map((groups) => ({ idToken: { groups } }));
  const elsewhere = [
    { idToken: { groups: undefined, hasgroups: true } },
    { idToken: { groups: [], _claim_names: { groups: 'src1' } } },
    { idToken: { groups: undefined, 'groups:src1': 'https://graph.example' } },
    { idToken: { groups: undefined }, info: { _claim_names: { groups: 'src1' } } },
  ];
  const unread = [5, true, {}, { roles: ['risk-ops'] }, [['risk-ops']], ['risk-ops', null]];
  const lists = [
    'risk-ops,risk-analysts',
    'risk-ops risk-analysts',
    '["risk-ops"]',
    ['risk-ops;x'],
  ];
  const forms: readonly (readonly [RegExp, readonly ProviderForm[]])[] = [
    [/no claim groups\. Nothing was changed/, unsaid],
    [/no claim groups, as it leaves the claim out for people in many groups/, elsewhere],
    [
      /groups must be a text or a list/,
      [...unread, ...lists].map((groups) => ({ idToken: { groups } })),
    ],
  ];
  for (const [sentence, refused] of forms)
    for (const form of refused) {
      const { status, page } = await logins.logInWith(form);
      expect([form, status, page]).toEqual([form, 403, expect.stringMatching(sentence)]);
      expect(await logins.keys()).toEqual(before);
    }
  const own = await logins.logInWith({ idToken: { groups: null }, info: { groups: 'risk-ops' } });
  expect([own.status, await logins.keys()]).toMatchObject([303, [{ roles: ['operator'] }]]);
  const { page } = await logins.logInWith({ idToken: { groups: [] } });
  expect([page, await logins.keys()]).toEqual([expect.stringContaining('no role here'), []]);
});

describe('a client', () => {
  const SECRET = 'p%+ /=:&é"~-_.!*\'()';
  const METHODS = ['client_secret_basic', 'client_secret_post', 'client_secret_jwt'];
  test.each([
    ...METHODS.map((method) => ({ listed: [method], method, tried: [method] })),
    { listed: undefined, method: METHODS[0], tried: [METHODS[0]] },
    { listed: ['private_key_jwt', ...METHODS], method: METHODS[1], tried: METHODS.slice(0, 2) },
    { listed: METHODS, method: METHODS[2], tried: METHODS },
  ])('of $method comes by $tried where the provider lists $listed', async (row) => {
    const client = { id: 'risk-engine:ü', secret: SECRET, method: row.method ?? '' };
    const metadata = { token_endpoint_auth_methods_supported: row.listed };
    const settings = { RISK_OIDC_CLIENT_ID: client.id, RISK_OIDC_CLIENT_SECRET: SECRET };
    await using logins = await open({ client, metadata }, settings);
    expect(await logins.logIn()).toMatchObject({ status: 303 });
    expect(logins.provider.methods).toEqual(row.tried);
    // The next login begins with the method that was taken.
    expect(await logins.logIn()).toMatchObject({ status: 303 });
    expect(logins.provider.methods.slice(row.tried.length)).toEqual([row.method]);
  });

  test.each([['client_secret_basic'], ['client_secret_post']])(
    'with another secret is told so in the words of the provider: %s',
    async (method) => {
      const client = { id: 'risk-engine', secret: 'another', method };
      const metadata = { token_endpoint_auth_methods_supported: [method] };
      await using logins = await open({ client, metadata });
      const { status, page } = await logins.logIn();
      const words = 'refused the login: invalid_client (Client authentication failed)';
      expect([status, page]).toEqual([403, expect.stringContaining(words)]);
      expect(logins.log()).toContain(words);
    },
  );
});

describe('a provider', () => {
  const words = (error: string, error_description?: string) => ({
    refusal: { error, ...(error_description !== undefined && { error_description }) },
  });
  const token = (status: number, body: unknown) => ({ token: { status, body } });
  const graph = { status: 401, body: { error: { code: 'InvalidAuthenticationToken' } } };
  const scarce = 'Bearer error="insufficient_scope"';
  const secondsNow = Math.floor(Date.now() / 1000);
  test.each<readonly [number, string, ProviderForm]>([
    [
      403,
      'access_denied (The user &lt;b> has canceled)',
      words('access_denied', 'The user <b>\r\n has canceled'),
    ],
    [403, 'refused the login: login_required.', words('login_required')],
    [403, 'consent_required', words('consent_required')],
    [403, 'interaction_required', words('interaction_required')],
    [403, 'invalid_scope', words('invalid_scope')],
    [403, `${'x'.repeat(100)}…`, words('access_denied', 'x'.repeat(1000))],
    [503, 'temporarily_unavailable (Later)', words('temporarily_unavailable', 'Later')],
    [503, 'server_error', words('server_error')],
    [403, 'invalid_grant', token(400, { error: 'invalid_grant' })],
    [503, 'answers with the status 502', token(502, '<p>Bad gateway')],
    [503, 'answers with the status 429', token(429, '<p>Later')],
    [403, 'answers with the status 403', token(403, '<p>Blocked')],
    [403, 'unexpected "iss"', { refusal: { code: 'x', iss: 'https://other.example' } }],
    [403, 'nonce', { idToken: { nonce: 'of-another-login' } }],
    [403, 'audience', { idToken: { aud: 'another' } }],
    [403, 'untrusted audiences', { idToken: { aud: ['risk-engine', 'another'] } }],
    [403, 'azp', { idToken: { aud: ['risk-engine', 'another'], azp: 'another' } }],
    [403, 'compare the clocks', { idToken: { nbf: secondsNow + 900 } }],
    [403, 'compare the clocks', { idToken: { exp: secondsNow - 900 } }],
    [403, 'issuer', { idToken: { iss: 'https://other.example' } }],
    [403, '"sub" property', { info: { sub: 'another' } }],
    [403, 'login: status 401', { info: {}, userinfo: { ...graph, challenge: 'Bearer realm=""' } }],
    [403, 'insufficient_scope', { info: {}, userinfo: { ...graph, challenge: scarce } }],
    [503, 'answers with the status 500', { info: {}, userinfo: { status: 500, body: {} } }],
  ])(
    'that refuses, or whose answer does not fit, is told by %i and by its own words: %s',
    async (status, said, form) => {
      await using logins = await open();
      const answer = await logins.logInWith(form);
      expect([answer.status, answer.page]).toEqual([status, expect.stringContaining(said)]);
      expect(answer.page.includes('Try again.')).toBe(status === 503);
      // Another login begins as if none had failed.
      expect([logins.cookies.size, (await logins.logIn()).status]).toEqual([0, 303]);
    },
  );

  test.each<readonly [string, ProviderForm]>([
    ['a clock two minutes ahead', { idToken: { nbf: secondsNow + 120, iat: secondsNow + 120 } }],
    ['a clock two minutes behind', { idToken: { exp: secondsNow - 120 } }],
    ['two audiences', { idToken: { aud: ['risk-engine', 'another'], azp: 'risk-engine' } }],
    ['a list of one audience', { idToken: { aud: ['risk-engine'] } }],
    ['signatures by ES256', { algorithm: 'ES256' }],
    ['signatures by PS256', { algorithm: 'PS256' }],
    ['signatures by EdDSA', { algorithm: 'EdDSA' }],
    ['an issuer that ends with a slash', { path: '/realms/corp/' }],
  ])('with %s lets people in', async (_, form) => {
    await using logins = await open(form);
    expect(await logins.logIn()).toMatchObject({ status: 303 });
  });

  test('that writes its issuer with another slash at the end is found, and another issuer is named', async () => {
    await using logins = await open({ path: '/realms/corp' });
    const { issuer, authorize } = logins.provider;
    const slashed = await openLogins(stores, { issuer: `${issuer}/`, authorize });
    expect(await slashed.logIn()).toMatchObject({ status: 303 });
    const metadata = { issuer: 'https://idp.example' };
    await using other = await open({ metadata });
    const named = `issuer https://idp.example, and RISK_OIDC_ISSUER names ${other.provider.issuer}`;
    expect(await other.logIn()).toMatchObject({
      status: 503,
      page: expect.stringContaining(named),
    });
  });

  test('that is away, or at another address, is told apart, and is found once it answers', async () => {
    await using logins = await open({ discovery: { status: 404, body: 'no such page' } });
    const { status, page } = await logins.logIn();
    expect([status, page]).toEqual([503, expect.stringContaining('status 404 at http://127')]);
    logins.provider.form = { idToken: logins.provider.form.idToken ?? {} };
    expect(await logins.logIn()).toMatchObject({ status: 303 });
    const away = await openLogins(stores, { ...logins.provider, issuer: 'http://127.0.0.1:1' });
    expect(await away.logIn()).toMatchObject({
      status: 503,
      page: expect.stringContaining('provider does not answer'),
    });
  });
});

describe('a browser', () => {
  test('with two tabs ends both logins, in any order, each once', async () => {
    await using logins = await open();
    const [first, second] = [await logins.begin(), await logins.begin()];
    const back = logins.provider.authorize(first.location);
    expect(await logins.visit(back)).toMatchObject({ status: 303 });
    const again = await logins.visit(back);
    expect([again.status, again.page]).toEqual([
      403,
      expect.stringContaining('does not fit a login'),
    ]);
    const other = logins.provider.authorize(second.location);
    expect(await logins.visit(other)).toMatchObject({ status: 303 });
  });

  test('that begins many logins keeps the latest eight', async () => {
    await using logins = await open();
    const begun = [];
    for (let tab = 0; tab < 12; tab++) begun.push((await logins.begin()).location);
    expect(logins.cookies.size).toBe(8);
    const ends = [];
    for (const location of begun)
      ends.push((await logins.visit(logins.provider.authorize(location))).status);
    expect(ends).toEqual([...Array(4).fill(403), ...Array(8).fill(303)]);
  });
});
