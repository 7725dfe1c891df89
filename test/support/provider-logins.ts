/** Logins by a provider without a server around them: the routes, the database and the log are the engine's own. */
import { Hono } from 'hono';
import type { Database } from '../../src/kit/database/pool.ts';
import type { AppEnv } from '../../src/kit/http/app-env.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { loginRoutes } from '../../src/rooms/access/oidc/login-routes.ts';
import { testConfig } from './config.ts';
import type { TestDatabase } from './database.ts';

const OWN = 'https://risk.example';

type Stores = { readonly database: Database; readonly testDatabase: TestDatabase };
type Provider = { readonly issuer: string; readonly authorize: (location: string) => string };
type Key = { readonly keyId: string; readonly roles: readonly string[]; readonly owner: string };

/** @param settings over those that any provider needs */
export async function openLogins(
  { database, testDatabase }: Stores,
  { issuer, authorize }: Provider,
  settings: Readonly<Record<string, string>> = {},
) {
  const lines: string[] = [];
  const config = testConfig({
    RISK_OIDC_ISSUER: issuer,
    RISK_OIDC_CLIENT_ID: 'risk-engine',
    RISK_OIDC_CLIENT_SECRET: 'a-secret',
    RISK_OIDC_URL: OWN,
    RISK_OIDC_ROLES: 'risk-analysts=analyst,risk-ops=operator',
    RISK_UNKNOWN_KEYS_PER_SECOND: '1000',
    ...settings,
  });
  const log = createLog('test', 'warn', { write: (line) => lines.push(line) });
  const routes = new Hono<AppEnv>()
    .use(async (c, next) => {
      c.set('requestId', 'a-request');
      await next();
    })
    .route('/', await loginRoutes({ config, database, log }));
  /** Cookies of one browser, in the order in which the browser took them. */
  const cookies = new Map<string, string>();
  const visit = async (url: string) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await routes.request(url, { headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    const location = answer.headers.get('location') ?? '';
    return { status: answer.status, location, page: await answer.text() };
  };
  const begin = async () => await visit(`${OWN}/oidc/login`);
  return {
    cookies,
    visit,
    begin,
    log: () => lines.join(''),
    /** Goes to the provider and comes back; where the login does not begin, its page. */
    logIn: async () => {
      const begun = await begin();
      return begun.status === 303 ? await visit(authorize(begun.location)) : begun;
    },
    /** The keys of the provider's people that are in force, with an open session. */
    keys: async () =>
      await testDatabase.sql<Key>(
        `select distinct k.key_id as "keyId", k.roles, k.owner from api_keys k
          join provider_logins l using (key_id) join sessions s using (key_id)
          where l.issuer = $1 and k.revoked_at is null and s.ended_at is null`,
        [config.RISK_OIDC_ISSUER],
      ),
  };
}
