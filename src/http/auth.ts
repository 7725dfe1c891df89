/**
 * Bearer authentication and roles. Keys are looked up by their SHA-256; an answer is kept for less
 * than a second, so that a revocation works within one. When keys cannot be looked up, nobody passes.
 */
import { timingSafeEqual } from 'node:crypto';
import type { MiddlewareHandler } from 'hono';
import { LRUCache } from 'lru-cache';
import type { Principal, Role } from '../domain/principal.ts';
import { apiKeyHash } from '../runtime/api-key.ts';
import type { AppEnv } from './app-env.ts';
import { Problem } from './problem.ts';

export type KnownKey = Principal & { readonly keyHash: Uint8Array };
/** Finds a key that is neither revoked nor expired. */
export type FindKey = (keyHash: Buffer) => Promise<KnownKey | undefined>;
export type Authenticate = (token: string) => Promise<Principal | undefined>;

/** How long a lookup is believed: half of the second that a revocation may take. */
const CACHE_MS = 500;
const CACHE_ENTRIES = 1000;
/** Longest key looked at; longer ones are refused without hashing. */
const TOKEN_CHARS_MAX = 256;

type Lookup = { readonly known: KnownKey | undefined };

export function createAuthenticator(find: FindKey): Authenticate {
  const lookups = new LRUCache<string, Lookup, Buffer>({
    max: CACHE_ENTRIES,
    ttl: CACHE_MS,
    fetchMethod: async (_key, _stale, { context }) => ({ known: await find(context) }),
  });
  return async (token) => {
    if (token.length > TOKEN_CHARS_MAX) return undefined;
    const hash = apiKeyHash(token);
    const lookup = await lookups.fetch(hash.toString('base64'), { context: hash });
    const known = lookup?.known;
    return known !== undefined && timingSafeEqual(hash, known.keyHash) ? known : undefined;
  };
}

const BEARER = /^Bearer +([!-~]+)$/i;
const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="risk"' };

/** Refuses a request without a valid key; what comes after finds its principal. */
export function requireKey(authenticate: Authenticate): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const header = c.req.header('authorization');
    const token = header === undefined ? undefined : BEARER.exec(header)?.[1];
    if (token === undefined) {
      throw new Problem('unauthorized', 'Send Authorization: Bearer KEY.', { headers: CHALLENGE });
    }
    const principal = await authenticate(token);
    if (principal === undefined) {
      throw new Problem('unauthorized', 'The key is unknown, revoked or expired.', {
        headers: { 'WWW-Authenticate': `${CHALLENGE['WWW-Authenticate']}, error="invalid_token"` },
      });
    }
    c.set('principal', principal);
    await next();
  };
}

/** Passes keys that have one of the roles; `admin` has all. */
export function requireRole(...roles: readonly Role[]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const held = c.get('principal').roles;
    if (!held.has('admin') && !roles.some((role) => held.has(role))) {
      throw new Problem('forbidden', `This needs the role ${roles.join(' or ')}.`);
    }
    await next();
  };
}
