/**
 * Authentication by key, login link or session (credential.ts), and roles. Tokens are looked up by their SHA-256. A lookup is cached for less than a second, so that a
 * revocation takes effect within one second. While keys cannot be looked up, every request is refused, except that a key
 * found in the last 15 minutes may still read the engine's status. While the primary is away, the replica that
 * stands in looks keys up: a key that the replica does not have yet is let in if it was in force at the primary within the last 15
 * minutes, and a key that the primary refused is refused.
 *
 * Keys that were not found are remembered as long, apart from known keys, so that they evict no known key. An unknown key
 * costs as much as a known key: a hash, a lookup where the last lookup is not fresh, and a comparison. strangers.ts bounds the
 * lookups of unknown keys.
 */
import { timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Context, MiddlewareHandler } from 'hono';
import { LRUCache } from 'lru-cache';
import { apiKeyHash } from '../../access/api-key.ts';
import type { Config } from '../../config/config.ts';
import { isPrimaryAway } from '../../process/primary-away.ts';
import { isUnavailable } from '../../words/failure.ts';
import { type Decider, isApart, type Principal, type Role } from '../../words/principal.ts';
import type { Credential } from '../../words/session.ts';
import { Problem } from '../answers/problem.ts';
import type { AppEnv } from '../app-env.ts';
import { type AddressOf, createAddressOf } from './address.ts';
import { readCredential, refuseCrossSite } from './credential.ts';
import {
  ALL_LOOKUPS_PER_SECOND,
  BURST_SECONDS,
  createStrangers,
  type Strangers,
} from './strangers.ts';

export type KnownKey = Principal & { readonly keyHash: Uint8Array };
/** Finds the key in force of a token: of the key itself, a login link or a session. */
type FindKey = (tokenHash: Buffer, kind: Credential['kind']) => Promise<KnownKey | undefined>;
type KeyLookup = {
  readonly find: FindKey;
  /** Whether the token is stored, in force or not. */
  readonly has: (tokenHash: Buffer, kind: Credential['kind']) => Promise<boolean>;
};
/** `recent`: while keys cannot be looked up, a key that was found lately is enough. */
export type Trust = 'fresh' | 'recent';
/**
 * @throws Problem where the key is not cached and its address has no lookups left
 * @param incoming absent when a test calls the application without a server
 */
export type Authenticate = (
  credential: Credential,
  incoming: IncomingMessage | undefined,
  trust: Trust,
) => Promise<Principal | undefined>;

export type Authenticator = ReturnType<typeof createAuthenticator>;

type AuthenticatorDependencies = KeyLookup & {
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
 * not see counts after that time, which happens only if this process alone has lost Postgres.
 */
export const RECENT_MS = 15 * 60 * 1000;
/** Longest key that is hashed; longer ones are refused. */
const TOKEN_CHARS_MAX = 256;
/** The hash of no key: unknown keys are compared with it, so that they take as long as known ones. */
const NO_HASH = new Uint8Array(32);

type Kept = {
  readonly key: KnownKey;
  /** When the primary had it in force; before all time where only a replica had it. */
  readonly foundAtMs: number;
  /** When it was looked up, in the primary or in the replica that stands in. */
  readonly lookedUpAtMs: number;
};

/** Creates the authenticator from the settings. */
export function openAuthenticator(config: Config, lookup: KeyLookup): Authenticator {
  const nowMs = () => performance.now();
  return createAuthenticator({
    ...lookup,
    nowMs,
    addressOf: createAddressOf(config.RISK_TRUSTED_PROXIES),
    strangers: createStrangers(config.RISK_UNKNOWN_KEYS_PER_SECOND, nowMs),
  });
}

export function createAuthenticator(dependencies: AuthenticatorDependencies) {
  const { strangers, addressOf, nowMs } = dependencies;
  const keys = new LRUCache<string, Kept>({ max: KEYS_MAX });
  /** When each was looked up: a key that is made later works once its entry is stale. */
  const notFound = new LRUCache<string, number>({ max: NOT_FOUND_MAX });
  /** Keys that the primary refused last, as a replica may lack the end of a key. Lookups in a replica evict no such key. */
  const refused = new LRUCache<string, true>({ max: KEYS_MAX });
  /**
   * A lookup under way for each known key, and for each pair of unknown key and address. Bounded by KEYS_MAX, and by the lookups
   * and the waits that strangers have.
   */
  const lookups = new Map<string, Promise<KnownKey | undefined>>();

  /** The key that a read may use beside an absent primary. @param found the key in force in the replica */
  const judgeAway = async ({ id, hash, kind }: Sought, found: KnownKey | undefined) => {
    if (refused.has(id)) return undefined;
    const kept = keys.get(id);
    if (found !== undefined || kept === undefined) return found;
    const isRecent = nowMs() - kept.foundAtMs < RECENT_MS;
    return isRecent && !(await dependencies.has(hash, kind)) ? kept.key : undefined;
  };
  const find = async (sought: Sought): Promise<KnownKey | undefined> => {
    const { id, hash, kind } = sought;
    const lookedUpAtMs = nowMs();
    const isAway = isPrimaryAway();
    const found = await dependencies.find(hash, kind);
    const key = isAway ? await judgeAway(sought, found) : found;
    if (key === undefined) {
      keys.delete(id);
      notFound.set(id, lookedUpAtMs);
      if (!isAway) refused.set(id, true);
      return undefined;
    }
    const before = keys.get(id)?.foundAtMs ?? Number.NEGATIVE_INFINITY;
    keys.set(id, { key, foundAtMs: isAway ? before : lookedUpAtMs, lookedUpAtMs });
    if (!isAway) refused.delete(id);
    return key;
  };
  /** Concurrent requests with one key, as after a start, share one lookup. */
  const share = (sought: string, lookUp: () => Promise<KnownKey | undefined>) => {
    const name = (isPrimaryAway() ? 'away ' : '') + sought;
    const running = lookups.get(name);
    if (running !== undefined) return running;
    const lookup = lookUp().finally(() => lookups.delete(name));
    lookups.set(name, lookup);
    return lookup;
  };
  const lookUpStranger = async (sought: Sought, address: string) => {
    const { id } = sought;
    const atMs = notFound.get(id);
    if (atMs !== undefined && nowMs() - atMs < FRESH_MS) return undefined;
    return await share(`${id} ${address}`, () => strangers.lookUp(address, () => find(sought)));
  };
  const lookAgain = async (sought: Sought, kept: Kept, trust: Trust) => {
    const ageMs = nowMs() - kept.foundAtMs;
    const lookupAgeMs = isPrimaryAway() ? nowMs() - kept.lookedUpAtMs : ageMs;
    if (lookupAgeMs < FRESH_MS) return kept.key;
    try {
      return await share(sought.id, () => find(sought));
    } catch (error) {
      if (trust === 'recent' && isUnavailable(error) && ageMs < RECENT_MS) return kept.key;
      throw error;
    }
  };
  const authenticate: Authenticate = async (credential, incoming, trust) => {
    if (credential.token.length > TOKEN_CHARS_MAX) return undefined;
    const sought = soughtBy(credential);
    const kept = keys.get(sought.id);
    const key =
      kept === undefined
        ? await lookUpStranger(sought, addressOf(incoming))
        : await lookAgain(sought, kept, trust);
    return timingSafeEqual(sought.hash, key?.keyHash ?? NO_HASH) ? key : undefined;
  };
  return {
    authenticate,
    /**
     * The refusal that `authenticate` would give without a lookup, while such refusals are frequent. The load shedder asks for
     * it in front of the application: a refusal there costs 76 µs instead of 128, and takes no slot in flight.
     */
    turnAway: (incoming: IncomingMessage) => {
      if (!strangers.areMany()) return undefined;
      const credential = readCredential(incoming.headers);
      if (credential === undefined || credential.token.length > TOKEN_CHARS_MAX) return undefined;
      const isKnown = keys.has(soughtBy(credential).id);
      return isKnown ? undefined : strangers.refusal(addressOf(incoming));
    },
  };
}

/** A token by its hash, and its name in the caches: one kind of token never passes for another. */
type Sought = { readonly id: string; readonly hash: Buffer; readonly kind: Credential['kind'] };

function soughtBy({ kind, token }: Credential): Sought {
  const hash = apiKeyHash(token);
  return { id: `${kind} ${hash.toString('base64')}`, hash, kind };
}

const CHALLENGE = { 'WWW-Authenticate': 'Bearer realm="risk"' };

/** A link logs in, and does nothing else. */
const LOGIN = { method: 'POST', path: '/v1/sessions' };
const DETAILS: Readonly<Record<Credential['kind'], string>> = {
  key: 'The key is unknown, revoked or expired.',
  link: 'The link is unknown, used or expired.',
  session: 'The session has ended.',
};

/** Marks that a shell or a settings file leaves around a key. */
const QUOTES = /^["'].*["']$/;

/** A header without a scheme is taken for a key. */
function authorizationFault(authorization: string | undefined): string {
  if (/^bearer$/i.test(authorization?.trim() ?? '')) {
    return 'The key behind Bearer in the header Authorization is empty.';
  }
  const isBare = authorization !== undefined && /^[!-~]+$/.test(authorization.trim());
  const advice = isBare ? '; put Bearer and a space in front of the key' : '';
  return `The header Authorization must be Bearer and an API key, as 'Bearer KEY'${advice}.`;
}

/** Refuses a request without a valid key or session; sets the principal for the handlers. */
export function requireKey(
  authenticate: Authenticate,
  trustFor: (c: Context<AppEnv>) => Trust = () => 'fresh',
): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const [authorization, cookie] = [c.req.header('authorization'), c.req.header('cookie')];
    const credential = readCredential({ authorization, cookie });
    if (credential === undefined) {
      throw new Problem('unauthorized', authorizationFault(authorization), { headers: CHALLENGE });
    }
    const { kind } = credential;
    if (kind === 'session') refuseCrossSite(c.req.method, (name) => c.req.header(name));
    const isHere = kind !== 'link' || (c.req.method === LOGIN.method && c.req.path === LOGIN.path);
    const principal = isHere
      ? await authenticate(credential, c.env?.incoming, trustFor(c))
      : undefined;
    if (principal === undefined) {
      const detail = QUOTES.test(credential.token)
        ? 'The key stands in quotes: leave out the quotes.'
        : DETAILS[kind];
      throw new Problem('unauthorized', detail, {
        headers: { 'WWW-Authenticate': `${CHALLENGE['WWW-Authenticate']}, error="invalid_token"` },
      });
    }
    c.set('principal', principal);
    c.set('credential', credential);
    await next();
  };
}

/** Lets keys through that have one of the roles; `admin` has every role but those apart. */
export function requireRole(...roles: readonly Role[]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    checkRole(c, roles);
    await next();
  };
}

/** Refuses a request whose key has none of the roles. */
export function checkRole(c: Context<AppEnv>, roles: readonly Role[]): void {
  const principal = c.get('principal');
  if (holdsOne(principal, roles)) return;
  throw new Problem(
    'forbidden',
    `The request needs the role ${roles.join(' or ')}, and the key has ${[...principal.roles].join(', ') || 'none in force'}.`,
  );
}

/** Whether a key has one of the roles. */
export function holdsOne(
  { roles: own }: Pick<Principal, 'roles'>,
  roles: readonly Role[],
): boolean {
  return roles.some((role) => own.has(role) || (own.has('admin') && !isApart(role)));
}

/** The actor of this request, for the audit log. */
export function actorOf(c: Context<AppEnv>): Decider {
  const { keyId, identity, owner, roles } = c.get('principal');
  return { keyId, roles, name: identity ?? `key of ${owner}`, request: c.get('requestId') };
}
