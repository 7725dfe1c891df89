/**
 * Logins by a provider: `/oidc` names the provider, `/oidc/login` sends the browser to the provider, `/oidc/callback` begins the
 * session, `/oidc/logout` ends the provider's session. A cookie has the state of a login, so any process may finish the login.
 */
import { type Context, Hono } from 'hono';
import { mintSession } from '../../../kit/access/api-key.ts';
import { logInByProvider } from '../../../kit/access/provider-logins.ts';
import type { Config } from '../../../kit/config/config.ts';
import type { MappedRoles } from '../../../kit/config/oidc-settings.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { asSentence, Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { createAddressOf } from '../../../kit/http/auth/address.ts';
import { sessionCookie } from '../../../kit/http/auth/credential.ts';
import { createRateLimit } from '../../../kit/http/auth/strangers.ts';
import { pageOf, toHtml } from '../../../kit/http/problems-page.ts';
import type { Log } from '../../../kit/metrics/log.ts';
import { Failure, toError } from '../../../kit/words/failure.ts';
import { plainText } from '../../../kit/words/plain-text.ts';
import type { Role } from '../../../kit/words/principal.ts';
import type { Claims, Pending } from './provider.ts';

/** Time that a person may take at the provider. Larger: a stolen browser finishes an old login; smaller: slow people begin again. */
const PENDING_SECONDS = 600;
const COOKIE = '__Host-risk-oidc';
/** SameSite is Lax, as the browser comes back from another site. */
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Lax';
const KEPT = new RegExp(`(?:^|;) *${COOKIE}=([A-Za-z0-9_.~-]+)`);
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
  const provider = createProvider({ issuer, clientId, clientSecret, redirectUrl });
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
      c.header('Set-Cookie', pendingCookie(pending));
      return c.redirect(url.href, 303);
    }),
  );
  routes.get(
    '/oidc/callback',
    answer(async (c) => {
      const pending = readPending(c.req.header('cookie'));
      if (pending === undefined) {
        throw new Failure(
          'conflict',
          'NOT_BEGUN',
          'this browser has begun no login, or too long ago',
        );
      }
      const claims = await provider.finish(new URL(c.req.url).search, pending);
      const { name, roles } = personOf(claims, claimNames, mapped);
      const { token, ...session } = mintSession();
      const login = { issuer, subject: claims.sub, name, roles };
      await logInByProvider(database, login, session, c.get('requestId'));
      c.header('Set-Cookie', pendingCookie(null));
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

/** Status and text of the page for a refused login. */
function sayFailure(error: unknown): { readonly status: 403 | 503; readonly text: string } {
  if (error instanceof Failure && error.kind !== 'unavailable') {
    const ask =
      'Ask whoever runs the engine: `RISK_OIDC_ROLES` maps groups of the provider to roles.';
    const text = asSentence(error.message);
    return { status: 403, text: error.code === 'NO_ROLE' ? `${text} ${ask}` : text };
  }
  return { status: 503, text: 'The login needs a service that does not answer. Try again.' };
}

/** `Set-Cookie` that keeps a pending login; null removes the cookie. */
function pendingCookie(pending: Pending | null): string {
  const value = pending === null ? '' : [pending.state, pending.nonce, pending.verifier].join('.');
  return `${COOKIE}=${value}; Max-Age=${pending === null ? 0 : PENDING_SECONDS}; ${ATTRIBUTES}`;
}

function readPending(cookies: string | undefined): Pending | undefined {
  const [state, nonce, verifier] = KEPT.exec(cookies ?? '')?.[1]?.split('.') ?? [];
  if (state === undefined || nonce === undefined || verifier === undefined) return undefined;
  return { state, nonce, verifier };
}

/**
 * Reads the name and the roles of a person from the claims of a provider.
 * @throws Failure where the claim has no valid name
 */
export function personOf(
  claims: Claims,
  { name: nameClaim, roles: rolesClaim }: ClaimNames,
  mapped: MappedRoles,
): { readonly name: string; readonly roles: readonly Role[] } {
  const name = NAME.safeParse(claims[nameClaim]);
  const isUnverified = nameClaim === 'email' && claims['email_verified'] === false;
  if (!name.success || isUnverified) {
    const why = `the claim ${nameClaim} is no verified name of at most ${NAME_CHARS_MAX} characters`;
    throw new Failure('conflict', 'NO_NAME', why);
  }
  const values = [claims[rolesClaim]].flat();
  const roles = values.flatMap((value) =>
    typeof value === 'string' ? (mapped.get(value) ?? []) : [],
  );
  return { name: name.data, roles: [...new Set(roles)] };
}
