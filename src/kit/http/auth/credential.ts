/**
 * Credential of a request: an API key or the token of a login link as Bearer, or the cookie of a session. Where a
 * request has both, the header counts. A browser sends a cookie for any page that makes it, so a request with one that may
 * change something has to show that a page of the API itself makes it.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { LINK_PREFIX } from '../../access/api-key.ts';
import { type Credential, SESSION_HOURS } from '../../words/session.ts';
import { Problem } from '../answers/problem.ts';

/** `__Host-`: browsers take it over a secure connection only, from this host only, for all its paths. */
const COOKIE = '__Host-risk-session';
const COOKIE_ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';
const BEARER = /^Bearer +([!-~]+)$/i;
const SESSION = new RegExp(`(?:^|;) *${COOKIE}=([A-Za-z0-9]+)`);

/** The header that no form and no page of another origin can send. */
export const CONSOLE_HEADER = 'x-risk-console';
const SAFE_METHODS = ['GET', 'HEAD'];

type CredentialHeaders = Pick<IncomingHttpHeaders, 'authorization' | 'cookie'>;

export function readCredential({ authorization, cookie }: CredentialHeaders) {
  if (authorization !== undefined) {
    const token = BEARER.exec(authorization)?.[1];
    if (token === undefined) return undefined;
    const kind = token.startsWith(LINK_PREFIX) ? 'link' : 'key';
    return { kind, token } satisfies Credential;
  }
  const token = cookie === undefined ? undefined : SESSION.exec(cookie)?.[1];
  return token === undefined ? undefined : ({ kind: 'session', token } satisfies Credential);
}

/** `Set-Cookie` of a new session; of an ended one where the token is null. */
export function sessionCookie(token: string | null): string {
  const seconds = token === null ? 0 : SESSION_HOURS * 60 * 60;
  return `${COOKIE}=${token ?? ''}; Max-Age=${seconds}; ${COOKIE_ATTRIBUTES}`;
}

/**
 * @param header reads a header of the request
 * @throws Problem for a request with a cookie that another site's page may have made
 */
export function refuseCrossSite(
  method: string,
  header: (name: string) => string | undefined,
): void {
  if (SAFE_METHODS.includes(method)) return;
  const origin = header('origin');
  const isOwn = origin !== undefined && URL.parse(origin)?.host === header('host');
  if (isOwn && header(CONSOLE_HEADER) !== undefined) return;
  throw new Problem(
    'cross-site-request',
    'A request with the cookie of a session that may change something needs the header X-Risk-Console, and an Origin that is the Host.',
  );
}
