/**
 * Sessions of browsers and the links that begin one. A session has the roles that its key has when it is looked up, and ends
 * with its key, by itself after a time without use, and at a fixed time after its login.
 */

import { LRUCache } from 'lru-cache';
import { recordChange } from '../audit/audit-log.ts';
import type { Database, Query } from '../database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeColumns } from '../database/statement.ts';
import { isUnavailable } from '../words/failure.ts';
import { type Actor, ROLES_APART, type Role } from '../words/principal.ts';
import {
  LINK_MINUTES,
  type NewSession,
  SESSION_HOURS,
  SESSION_IDLE_MINUTES,
  SESSION_USE_SECONDS,
  SESSIONS_MAX,
  type Session,
} from '../words/session.ts';
import { findLiveApiKey, IS_LIVE, LIVE_COLUMNS, type LiveApiKey } from './api-keys.ts';

/** A session `s` that is open, with its key `k`. */
const IS_OPEN = `s.ended_at is null and s.expires_at > now()
                 and s.used_at > now() - interval '${SESSION_IDLE_MINUTES} minutes'
                 and ${IS_LIVE}`;
const FROM = 'from market.sessions s join market.api_keys k on k.key_id = s.key_id';
const COLUMNS = `s.session_id, s.key_id, k.owner, k.identity, ${timeColumns('s', 'created_at', 'used_at', 'expires_at')}`;

const findOpen = firstOf<
  LiveApiKey & { readonly sessionId: string },
  [tokenHash: Buffer, apart: readonly Role[]]
>(
  'find-open-session',
  `select s.session_id as "sessionId", s.token_hash as "keyHash", ${LIVE_COLUMNS} ${FROM}
          where s.token_hash = $1 and ${IS_OPEN}`,
);

/** Sessions whose last recorded use is remembered. */
const USED_MAX = 10_000;

/** Finds an open session by its token. */
const findOpenSession = ({ query }: Pick<Database, 'query'>, tokenHash: Buffer) =>
  findOpen(query, tokenHash, ROLES_APART);

const findLink = firstOf<LiveApiKey, [tokenHash: Buffer, apart: readonly Role[]]>(
  'find-login-link',
  `select l.token_hash as "keyHash", ${LIVE_COLUMNS}
           from market.login_links l join market.api_keys k on k.key_id = l.key_id
          where l.token_hash = $1 and l.used_at is null and l.expires_at > now()
            and ${IS_LIVE}`,
);

/** Finds a link that is neither used nor expired, with its key. */
const findLoginLink = ({ query }: Pick<Database, 'query'>, tokenHash: Buffer) =>
  findLink(query, tokenHash, ROLES_APART);

const findRow = (kind: string, table: string, hash: string) =>
  rowsOf<object, [tokenHash: Buffer]>(
    `find-row-of-${kind}`,
    `select from market.${table} where ${hash} = $1`,
  );

const finders = { key: findLiveApiKey, link: findLoginLink, session: findOpenSession };
const rows = {
  key: findRow('key', 'api_keys', 'key_hash'),
  link: findRow('link', 'login_links', 'token_hash'),
  session: findRow('session', 'sessions', 'token_hash'),
};
/** Looks up the token of a key, a login link or a session. */
export const createKeyLookup = (database: Pick<Database, 'query'>) => ({
  /** Finds the key in force. */
  find: async (tokenHash: Buffer, kind: keyof typeof finders) => {
    const key = await finders[kind](database, tokenHash);
    return key && { ...key, roles: new Set(key.roles) };
  },
  /** Whether the database has the token at all, in force or not. */
  has: async (tokenHash: Buffer, kind: keyof typeof rows) =>
    (await rows[kind](database.query, tokenHash)).length > 0,
});

export const recordUse = rowsOf<object, [sessionId: string]>(
  'use-session',
  `update market.sessions set used_at = now()
          where session_id = $1 and used_at < now() - interval '${SESSION_USE_SECONDS / 2} seconds'`,
);

const insertLink = onlyOf<{ expiresAt: Date }, [tokenHash: Buffer, keyId: string]>(
  'insert-login-link',
  `insert into market.login_links (token_hash, key_id, expires_at)
         values ($1, $2, now() + interval '${LINK_MINUTES} minutes') returning expires_at as "expiresAt"`,
);

/** Stores a link for a key. @returns when it expires */
export async function makeLoginLink(
  database: Pick<Database, 'transaction'>,
  tokenHash: Buffer,
  keyId: string,
  by: Actor,
): Promise<Date> {
  return await database.transaction(async (query) => {
    const { expiresAt } = await insertLink(query, tokenHash, keyId);
    const change = { action: 'login-link.create', subject: keyId, before: null } as const;
    await recordChange(query, by, { ...change, after: { expiresAt } });
    return expiresAt;
  });
}

/** Locks a key's row, so that each login sees the sessions of earlier ones. `no key update` lets foreign keys refer to the row. */
const lockKey = rowsOf<object, [keyId: string]>(
  'lock-key-of-session',
  'select from market.api_keys where key_id = $1 for no key update',
);
const redeem = rowsOf<object, [tokenHash: Buffer]>(
  'redeem-login-link',
  `update market.login_links set used_at = now()
          where token_hash = $1 and used_at is null and expires_at > now() returning key_id`,
);
const insert = onlyOf<Session, [sessionId: string, tokenHash: Buffer, keyId: string]>(
  'insert-session',
  `with made as (
           insert into market.sessions (session_id, token_hash, key_id, expires_at)
           values ($1, $2, $3, now() + interval '${SESSION_HOURS} hours') returning *
         )
         select ${COLUMNS} from made s join market.api_keys k on k.key_id = s.key_id`,
);
const listBeyond = rowsOf<Pick<Session, 'session_id'>, [keyId: string]>(
  'list-sessions-beyond-bound',
  `select s.session_id ${FROM} where s.key_id = $1 and ${IS_OPEN}
          order by s.created_at desc, s.session_id offset ${SESSIONS_MAX}`,
);

type Login = {
  readonly session: NewSession;
  readonly keyId: string;
  /** The link that the login uses up; null where it has the key itself. */
  readonly linkHash: Buffer | null;
};

/** Begins a session; undefined where the link was used meanwhile. */
export async function beginSession(
  database: Pick<Database, 'transaction'>,
  { session: { sessionId, tokenHash }, keyId, linkHash }: Login,
  by: Actor,
): Promise<Session | undefined> {
  return await database.transaction(async (query) => {
    await lockKey(query, keyId);
    if (linkHash !== null && (await redeem(query, linkHash)).length === 0) return undefined;
    const made = await insert(query, sessionId, tokenHash, keyId);
    const beyond = await listBeyond(query, keyId);
    for (const session of beyond) await end(query, session.session_id, null, by);
    const change = { action: 'session.create', subject: sessionId, before: null } as const;
    const after = { ...made, by: linkHash === null ? 'key' : 'link' };
    await recordChange(query, by, { ...change, after });
    return made;
  });
}

/** A page of open sessions after an id, of a key or (null) of everybody. */
export const listSessions = rowsOf<Session, [after: string, keyId: string | null, limit: number]>(
  'list-open-sessions',
  `select ${COLUMNS} ${FROM}
          where ${IS_OPEN} and s.session_id > $1 and ($2::text is null or s.key_id = $2)
          order by s.session_id limit $3`,
);

const endOpen = firstOf<Session, [sessionId: string, keyId: string | null]>(
  'end-session',
  `update market.sessions s set ended_at = now() from market.api_keys k
          where k.key_id = s.key_id and s.session_id = $1 and ($2::text is null or s.key_id = $2) and ${IS_OPEN}
         returning ${COLUMNS}`,
);

async function end(query: Query, sessionId: string, keyId: string | null, by: Actor) {
  const ended = await endOpen(query, sessionId, keyId);
  if (ended === undefined) return false;
  const change = { action: 'session.end', subject: sessionId, after: null } as const;
  await recordChange(query, by, { ...change, before: ended });
  return true;
}

/** Ends a session. @returns false where no session with this id is open. @param keyId whose session; null: anybody's */
export async function endSession(
  database: Pick<Database, 'transaction'>,
  sessionId: string,
  keyId: string | null,
  by: Actor,
): Promise<boolean> {
  return await database.transaction((query) => end(query, sessionId, keyId, by));
}

/** Records that somebody uses a session, so that the session stays open: at most once in SESSION_USE_SECONDS. */
export function createRecordUse(database: Database): (sessionId: string) => Promise<void> {
  const used = new LRUCache<string, true>({ max: USED_MAX, ttl: SESSION_USE_SECONDS * 1000 });
  return async (sessionId) => {
    if (used.has(sessionId)) return;
    used.set(sessionId, true);
    try {
      await recordUse(database.write, sessionId);
    } catch (error) {
      used.delete(sessionId);
      // The request itself says what is unavailable.
      if (!isUnavailable(error)) throw error;
    }
  };
}
