/**
 * Bearer authentication and roles. Keys are looked up by their SHA-256; an answer is kept for less
 * than a second, so that a revocation works within one. When keys cannot be looked up, nobody passes,
 * except that a key found a while ago still reads how the engine is.
 */
import { timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { LRUCache } from 'lru-cache';
import { isUnavailable } from '../domain/failure.ts';
import { approves, type Officer, type Principal, type Role } from '../domain/principal.ts';
import { apiKeyHash } from '../runtime/api-key.ts';
import type { AppEnv } from './app-env.ts';
import { Problem } from './problem.ts';

export type KnownKey = Principal & { readonly keyHash: Uint8Array };
/** Finds a key that is neither revoked nor expired. */
export type FindKey = (keyHash: Buffer) => Promise<KnownKey | undefined>;
/** `recent`: while keys cannot be looked up, one that was found a while ago will do. */
export type Trust = 'fresh' | 'recent';
export type Authenticate = (token: string, trust?: Trust) => Promise<Principal | undefined>;

/** How long a lookup is believed: half of the second that a revocation may take. */
const CACHE_MS = 500;
const CACHE_ENTRIES = 1000;
/**
 * For how long after its last lookup a key reads figures in an outage. A revocation that this process could
 * not see counts after it; it takes a Postgres that others reach and this process does not.
 */
export const RECENT_MS = 15 * 60 * 1000;
/** Longest key looked at; longer ones are refused without hashing. */
const TOKEN_CHARS_MAX = 256;

type Lookup = { readonly known: KnownKey | undefined };

export function createAuthenticator(find: FindKey, recentMs = RECENT_MS): Authenticate {
  const recent = new LRUCache<string, KnownKey>({ max: CACHE_ENTRIES, ttl: recentMs });
  const lookups = new LRUCache<string, Lookup, Buffer>({
    max: CACHE_ENTRIES,
    ttl: CACHE_MS,
    fetchMethod: async (id, _stale, { context }) => {
      const known = await find(context);
      // A key that is gone is forgotten.
      recent.set(id, known);
      return { known };
    },
  });
  const look = async (hash: Buffer, trust: Trust): Promise<KnownKey | undefined> => {
    const id = hash.toString('base64');
    const fresh = lookups.get(id);
    if (fresh !== undefined) return fresh.known;
    try {
      return (await lookups.fetch(id, { context: hash }))?.known;
    } catch (error) {
      const known = trust === 'recent' && isUnavailable(error) ? recent.get(id) : undefined;
      if (known === undefined) throw error;
      return known;
    }
  };
  return async (token, trust = 'fresh') => {
    if (token.length > TOKEN_CHARS_MAX) return undefined;
    const hash = apiKeyHash(token);
    const known = await look(hash, trust);
    return known !== undefined && timingSafeEqual(hash, known.keyHash) ? known : undefined;
  };
}

const BEARER = /^Bearer +([!-~]+)$/i;
const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="risk"' };

/** Refuses a request without a valid key; what comes after finds its principal. */
export function requireKey(
  authenticate: Authenticate,
  trustFor: (c: Context<AppEnv>) => Trust = () => 'fresh',
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const header = c.req.header('authorization');
    const token = header === undefined ? undefined : BEARER.exec(header)?.[1];
    if (token === undefined) {
      throw new Problem('unauthorized', 'Send Authorization: Bearer KEY.', { headers: CHALLENGE });
    }
    const principal = await authenticate(token, trustFor(c));
    if (principal === undefined) {
      throw new Problem('unauthorized', 'The key is unknown, revoked or expired.', {
        headers: { 'WWW-Authenticate': `${CHALLENGE['WWW-Authenticate']}, error="invalid_token"` },
      });
    }
    c.set('principal', principal);
    await next();
  };
}

/** Passes keys that have one of the roles; `admin` has all but those that approve. */
export function requireRole(...roles: readonly Role[]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const held = c.get('principal').roles;
    if (!roles.some((role) => held.has(role) || (held.has('admin') && !approves(role)))) {
      throw new Problem('forbidden', `This needs the role ${roles.join(' or ')}.`);
    }
    await next();
  };
}

/** Who changes something by this request. */
export function actorOf(c: Context<AppEnv>): Officer {
  const { keyId, identity, owner } = c.get('principal');
  return { keyId, name: identity ?? `key of ${owner}`, request: c.get('requestId') };
}
