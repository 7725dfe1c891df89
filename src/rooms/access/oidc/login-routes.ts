/**
 * Logins by a provider: `/oidc` names the provider, `/oidc/login` sends the browser to the provider, `/oidc/callback` begins the
 * session, `/oidc/logout` ends the provider's session. Each login has a cookie with its state, so any process may finish the login.
 */
import { type Context, Hono } from 'hono';
import { mintSession } from '../../../kit/access/api-key.ts';
import { findNobody } from '../../../kit/approvals/approvals.ts';
import type { Config } from '../../../kit/config/config.ts';
import type { MappedRoles } from '../../../kit/config/oidc-settings.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { asSentence, Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { createAddressOf } from '../../../kit/http/auth/address.ts';
import { sessionCookie } from '../../../kit/http/auth/credential.ts';
import { createRateLimit } from '../../../kit/http/auth/strangers.ts';
import { pageOf, toHtml } from '../../../kit/http/problems-page.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { plainText } from '../../../kit/words/plain-text.ts';
import type { Officer, Role } from '../../../kit/words/principal.ts';
import { proposeKey } from '../routes/keys.ts';
import { type Claims, readClaim, rolesOf, unverifiedBy } from './claims.ts';
import type { Pending } from './provider.ts';
import { logInByProvider } from './provider-logins.ts';

/** Time that a person may take at the provider. Larger: a stolen browser finishes an old login; smaller: slow people begin again. */
const PENDING_SECONDS = 600;
/** Logins that a browser may have begun. Larger: cookies outgrow what servers take; smaller: early ones of many tabs fail. */
const PENDING_MAX = 8;
const COOKIE = '__Host-risk-oidc-';
/** SameSite is Lax, as the browser comes back from another site. */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';
const KEPT = new RegExp(`(?:^|;) *${COOKIE}([\\w-]+)=([\\w-]+)\\.([\\w-]+)`, 'g');
const PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

type Parts = { readonly config: Config; readonly database: Database; readonly log: Log };

const NAME_CHARS_MAX = 64;
const NAME = plainText(NAME_CHARS_MAX);

type ClaimNames = { readonly name: string; readonly roles: string };

export async function loginRoutes({ config, database, log }: Parts): Promise<Hono<AppEnv>> {
  const routes = new Hono<AppEnv>();
  const {
    RISK_OIDC_ISSUER: issuer,
    RISK_OIDC_CLIENT_ID: clientId = '',
    RISK_OIDC_CLIENT_SECRET: clientSecret,
    RISK_OIDC_URL: ownUrl = '',
    RISK_OIDC_ROLES: mapped = new Map(),
  } = config;
  routes.get('/oidc', (c) =>
    c.json({ provider: issuer === undefined ? null : new URL(issuer).host }),
  );
  if (issuer === undefined) return routes;
  const redirectUrl = `${ownUrl}/oidc/callback`;
  // A process without a provider does not load the client library.
  const { createProvider } = await import('./provider.ts');
  const scope = config.RISK_OIDC_SCOPES;
  const provider = createProvider({ issuer, clientId, clientSecret, redirectUrl, scope });
  const claimNames = { name: config.RISK_OIDC_NAME_CLAIM, roles: config.RISK_OIDC_CLAIM };
  const addressOf = createAddressOf(config.RISK_TRUSTED_PROXIES);
  // The limit counts by address, as these requests have no key and each of them asks the provider.
  const limit = createRateLimit(config.RISK_UNKNOWN_KEYS_PER_SECOND, () => performance.now());

  const answer =
    (work: (c: Context<AppEnv>) => Promise<Response>) => async (c: Context<AppEnv>) => {
      const waitSeconds = limit.take(addressOf(c.env?.incoming));
      if (waitSeconds > 0) {
        const headers = { 'Retry-After': String(waitSeconds) };
        throw new Problem('too-many-unknown-keys', 'Too many logins come from this address.', {
          headers,
        });
      }
      try {
        return await work(c);
      } catch (error) {
        const said = sayFailure(error);
        log.warn(
          { err: toError(error), requestId: c.get('requestId') },
          'a login by the provider failed',
        );
        const again = `<p><a href="/console">Back to the login</a></p>`;
        const page = pageOf(
          'Login refused',
          'Login refused',
          `<p>${toHtml(said.text)}</p>${again}`,
        );
        return c.html(page, said.status, { 'Content-Security-Policy': PAGE_POLICY });
      }
    };

  routes.get(
    '/oidc/login',
    answer(async (c) => {
      const { url, pending } = await provider.begin();
      const begun = readPending(c.req.header('cookie'));
      // Browsers send cookies from the oldest to the newest.
      for (const old of begun.slice(0, Math.max(0, begun.length + 1 - PENDING_MAX)))
        c.header('Set-Cookie', pendingCookie(old, 0), { append: true });
      c.header('Set-Cookie', pendingCookie(pending, PENDING_SECONDS), { append: true });
      return c.redirect(url.href, 303);
    }),
  );
  routes.get(
    '/oidc/callback',
    answer(async (c) => {
      const { search, searchParams } = new URL(c.req.url);
      const pending = findPending(c.req.header('cookie'), searchParams.get('state'));
      c.header('Set-Cookie', pendingCookie(pending, 0), { append: true });
      const claims = await provider.finish(search, pending);
      const { name, roles } = personOf(claims, claimNames, mapped);
      const { token, ...session } = mintSession();
      const login = { issuer, subject: claims.sub, name, roles };
      await logInByProvider(database, login, session, c.get('requestId'), askSecondPerson);
      c.header('Set-Cookie', sessionCookie(token), { append: true });
      return c.redirect('/console', 303);
    }),
  );
  routes.get(
    '/oidc/logout',
    answer(async (c) => {
      const url = await provider.endUrl(`${ownUrl}/console`);
      return c.redirect(url?.href ?? '/console', 303);
    }),
  );
  return routes;
}

/** Advice that the page adds to the sentence of a failure, by its code. */
const HELP: Readonly<Record<string, string>> = {
  NO_ROLE: 'Ask whoever runs the engine: `RISK_OIDC_ROLES` maps groups of the provider to roles.',
  NO_CLAIM:
    'Nothing was changed. Ask whoever runs the provider to send the claim, with the groups of this application alone.',
};

/** Status and text of the page for a refused login. */
function sayFailure(error: unknown): { readonly status: 403 | 503; readonly text: string } {
  const { kind, code, message } =
    error instanceof Failure ? error : { kind: 'unavailable', code: '', message: '' };
  if (kind !== 'unavailable')
    return { status: 403, text: `${asSentence(message)} ${HELP[code] ?? ''}` };
  const isProvider = code === 'PROVIDER_REFUSED';
  const text = isProvider ? asSentence(message) : 'The login needs a service that does not answer.';
  return { status: 503, text: `${text} Try again.` };
}

/** `Set-Cookie` that keeps a pending login; 0 seconds remove the cookie. */
function pendingCookie({ state, nonce, verifier }: Pending, seconds: number): string {
  const value = seconds === 0 ? '' : `${nonce}.${verifier}`;
  return `${COOKIE}${state}=${value}; Max-Age=${seconds}; ${ATTRIBUTES}`;
}

/** Asks a second person about the key of a login, unless a key of nobody made the person: anybody may hold such a key. */
async function askSecondPerson(query: Query, by: Officer): Promise<void> {
  if (!(await findNobody(query, by.keyId)).isNobodys) await proposeKey(query, by, by.keyId);
}

const readPending = (cookies = ''): Pending[] =>
  [...cookies.matchAll(KEPT)].map(([, state = '', nonce = '', verifier = '']) => ({
    state,
    nonce,
    verifier,
  }));

/** @throws Failure where this browser has begun no login of the state, or has ended it */
function findPending(cookies: string | undefined, state: string | null): Pending {
  const pending = readPending(cookies).find((begun) => begun.state === state);
  if (pending !== undefined) return pending;
  const minutes = PENDING_SECONDS / 60;
  const why = `the answer does not fit a login that this browser has begun within ${minutes} minutes and not ended`;
  throw new Failure('conflict', 'NOT_BEGUN', why);
}

/**
 * Reads the name and the roles of a person from the claims of a provider.
 * @throws Failure where the claim has no valid name, the provider says that it is not verified, or says nothing about roles
 */
export function personOf(
  claims: Claims,
  { name: nameClaim, roles: rolesClaim }: ClaimNames,
  mapped: MappedRoles,
): { readonly name: string; readonly roles: readonly Role[] } {
  const name = NAME.safeParse(readClaim(claims, nameClaim));
  const mark = unverifiedBy(claims, nameClaim);
  if (!name.success || mark !== undefined) {
    const because = mark === undefined ? '' : `: ${mark}`;
    const why = `the claim ${nameClaim} is no verified name of at most ${NAME_CHARS_MAX} characters${because}`;
    throw new Failure('conflict', 'NO_NAME', why);
  }
  return { name: name.data, roles: rolesOf(claims, rolesClaim, mapped) };
}
