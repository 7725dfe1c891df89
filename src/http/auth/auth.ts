/**
 * Bearer authentication and roles. Keys are looked up by their SHA-256. A lookup is cached for less than a second, so that a
 * revocation takes effect within one second. While keys cannot be looked up, every request is refused, except that a key
 * found in the last 15 minutes may still read the engine's status.
 *
 * Keys that were not found are remembered as long, apart from known keys, so that they evict none of these. An unknown key
 * costs as much as a known one: one hash, one lookup where the last is not fresh, and one comparison. strangers.ts bounds the
 * lookups of keys that are not known.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import { LRUCache } from 'lru-cache';
import { isUnavailable } from '../../domain/failure.ts';
import { approves, type Officer, type Principal, type Role } from '../../domain/principal.ts';
import { apiKeyHash } from '../../runtime/api-key.ts';
import type { Config } from '../../runtime/config.ts';
import { Problem } from '../answers/problem.ts';
import type { AppEnv } from '../app-env.ts';
import { type AddressOf, createAddressOf } from './address.ts';
import { BURST_SECONDS } from './rate-limit.ts';
import { ALL_LOOKUPS_PER_SECOND, createStrangers, type Strangers } from './strangers.ts';

export type KnownKey = Principal & { readonly keyHash: Uint8Array };
/** Finds a key that is neither revoked nor expired. */
type FindKey = (keyHash: Buffer) => Promise<KnownKey | undefined>;
/** `recent`: while keys cannot be looked up, a key that was found lately is enough. */
export type Trust = 'fresh' | 'recent';
/**
 * @throws Problem where the key is not cached and its address has no lookups left
 * @param incoming absent when a test calls the application without a server
 */
export type Authenticate = (
  token: string,
  incoming: IncomingMessage | undefined,
  trust: Trust,
) => Promise<Principal | undefined>;

export type Authenticator = {
  readonly authenticate: Authenticate;
  /**
   * The refusal that `authenticate` would give without a lookup, while such refusals are frequent. The load shedder asks for
   * it in front of the application: a refusal there costs 76 µs instead of 128, and takes no slot in flight.
   */
  readonly turnAway: (incoming: IncomingMessage) => Problem | undefined;
};

type AuthenticatorDependencies = {
  readonly find: FindKey;
  readonly strangers: Strangers;
  readonly addressOf: AddressOf;
  /** Monotonic clock. */
  readonly nowMs: () => number;
};

/** Validity of a lookup: half of the second that a revocation may take. */
const FRESH_MS = 500;
const KEYS_MAX = 10_000;
/** As many as all addresses may look up at once. */
const NOT_FOUND_MAX = BURST_SECONDS * ALL_LOOKUPS_PER_SECOND;
/**
 * How long after its last lookup a key still reads figures in an outage. A revocation that this process could
 * not see counts after that; it takes a Postgres that other processes reach and this one does not.
 */
export const RECENT_MS = 15 * 60 * 1000;
/** Longest key that is hashed; longer ones are refused. */
const TOKEN_CHARS_MAX = 256;
/** The hash of no key: unknown keys are compared with it, so that they take as long as known ones. */
const NO_HASH = new Uint8Array(32);

type Kept = { readonly key: KnownKey; readonly foundAtMs: number };

/** Creates the authenticator from the settings. */
export function openAuthenticator(config: Config, find: FindKey): Authenticator {
  const nowMs = () => performance.now();
  return createAuthenticator({
    ...{ find, nowMs, addressOf: createAddressOf(config.RISK_TRUSTED_PROXIES) },
    strangers: createStrangers(config.RISK_UNKNOWN_KEYS_PER_SECOND, nowMs),
  });
}

export function createAuthenticator(dependencies: AuthenticatorDependencies): Authenticator {
  const { strangers, addressOf, nowMs } = dependencies;
  const keys = new LRUCache<string, Kept>({ max: KEYS_MAX });
  /** When each was looked up: a key that is made later works once its entry is stale. */
  const notFound = new LRUCache<string, number>({ max: NOT_FOUND_MAX });
  /**
   * Lookups under way: one for each known key, one for each other key and address. Bounded by KEYS_MAX, and by the lookups and
   * the waits that strangers have.
   */
  const lookups = new Map<string, Promise<KnownKey | undefined>>();

  const find = async (id: string, hash: Buffer): Promise<KnownKey | undefined> => {
    const atMs = nowMs();
    const key = await dependencies.find(hash);
    if (key === undefined) {
      keys.delete(id);
      notFound.set(id, atMs);
    } else {
      keys.set(id, { key, foundAtMs: atMs });
    }
    return key;
  };
  /** Concurrent requests with one key, as after a start, share one lookup. */
  const share = (name: string, lookUp: () => Promise<KnownKey | undefined>) => {
    const running = lookups.get(name);
    if (running !== undefined) return running;
    const lookup = lookUp().finally(() => lookups.delete(name));
    lookups.set(name, lookup);
    return lookup;
  };
  const lookUpStranger = async (id: string, hash: Buffer, address: string) => {
    const atMs = notFound.get(id);
    if (atMs !== undefined && nowMs() - atMs < FRESH_MS) return undefined;
    return await share(`${id} ${address}`, () => strangers.lookUp(address, () => find(id, hash)));
  };
  const lookAgain = async (id: string, hash: Buffer, kept: Kept, trust: Trust) => {
    const ageMs = nowMs() - kept.foundAtMs;
    if (ageMs < FRESH_MS) return kept.key;
    try {
      return await share(id, () => find(id, hash));
    } catch (error) {
      if (trust === 'recent' && isUnavailable(error) && ageMs < RECENT_MS) return kept.key;
      throw error;
    }
  };
  const authenticate: Authenticate = async (token, incoming, trust) => {
    if (token.length > TOKEN_CHARS_MAX) return undefined;
    const hash = apiKeyHash(token);
    const id = idOf(hash);
    const kept = keys.get(id);
    const key =
      kept === undefined
        ? await lookUpStranger(id, hash, addressOf(incoming))
        : await lookAgain(id, hash, kept, trust);
    return timingSafeEqual(hash, key?.keyHash ?? NO_HASH) ? key : undefined;
  };
  return {
    authenticate,
    turnAway: (incoming) => {
      if (!strangers.areMany()) return undefined;
      const token = readToken(incoming.headers.authorization);
      if (token === undefined || token.length > TOKEN_CHARS_MAX) return undefined;
      return keys.has(idOf(apiKeyHash(token))) ? undefined : strangers.refusal(addressOf(incoming));
    },
  };
}

const idOf = (hash: Buffer) => hash.toString('base64');

const BEARER = /^Bearer +([!-~]+)$/i;
function readToken(header: string | undefined): string | undefined {
  return header === undefined ? undefined : BEARER.exec(header)?.[1];
}

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="risk"' };

/** Refuses a request without a valid key; sets the principal for the handlers. */
export function requireKey(
  authenticate: Authenticate,
  trustFor: (c: Context<AppEnv>) => Trust = () => 'fresh',
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const token = readToken(c.req.header('authorization'));
    if (token === undefined) {
      throw new Problem('unauthorized', 'The header Authorization must be Bearer and an API key.', {
        headers: CHALLENGE,
      });
    }
    const principal = await authenticate(token, c.env?.incoming, trustFor(c));
    if (principal === undefined) {
      throw new Problem('unauthorized', 'The key is unknown, revoked or expired.', {
        headers: { 'WWW-Authenticate': `${CHALLENGE['WWW-Authenticate']}, error="invalid_token"` },
      });
    }
    c.set('principal', principal);
    await next();
  };
}

/** Lets keys through that have one of the roles; `admin` has every role except those that approve. */
export function requireRole(...roles: readonly Role[]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    checkRole(c, roles);
    await next();
  };
}

/** Refuses a request whose key has none of the roles. */
export function checkRole(c: Context<AppEnv>, roles: readonly Role[]): void {
  const held = c.get('principal').roles;
  if (roles.some((role) => held.has(role) || (held.has('admin') && !approves(role)))) return;
  throw new Problem(
    'forbidden',
    `The request needs the role ${roles.join(' or ')}, and the key has ${[...held].join(', ')}.`,
  );
}

/** The actor of this request, for the audit log. */
export function actorOf(c: Context<AppEnv>): Officer {
  const { keyId, identity, owner } = c.get('principal');
  return { keyId, name: identity ?? `key of ${owner}`, request: c.get('requestId') };
}
