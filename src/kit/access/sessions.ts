/**
 * Sessions of browsers and the links that begin one. A session has the roles that its key has when it is looked up, and ends
 * with its key, by itself after a time without use, and at a fixed time after its login.
 */
import { recordChange } from '../audit/audit-log.ts';
import type { Database, Query } from '../database/pool.ts';
import { type Actor, APPROVING_ROLES } from '../words/principal.ts';
import {
  LINK_MINUTES,
  type NewSession,
  SESSION_HOURS,
  SESSION_IDLE_MINUTES,
  SESSION_USE_SECONDS,
  SESSIONS_MAX,
  type Session,
} from '../words/session.ts';
import { IS_LIVE, LIVE_COLUMNS, type LiveApiKey } from './api-keys.ts';

/** A session `s` that is open, with its key `k`. */
const IS_OPEN = `s.ended_at is null and s.expires_at > now()
                 and s.used_at > now() - interval '${SESSION_IDLE_MINUTES} minutes'
                 and ${IS_LIVE}`;
const FROM = 'from market.sessions s join market.api_keys k on k.key_id = s.key_id';
const COLUMNS = `s.session_id as "sessionId", s.key_id as "keyId", k.owner, k.identity, s.created_at as "createdAt",
                 s.used_at as "usedAt", s.expires_at as "expiresAt"`;

const findStatement = {
  name: 'find-open-session',
  text: `select s.session_id as "sessionId", s.token_hash as "keyHash", ${LIVE_COLUMNS} ${FROM}
          where s.token_hash = $1 and ${IS_OPEN}`,
};

/** Finds an open session by its token. */
export async function findOpenSession(
  { query }: Pick<Database, 'query'>,
  tokenHash: Buffer,
): Promise<(LiveApiKey & Pick<Session, 'sessionId'>) | undefined> {
  const values = [tokenHash, APPROVING_ROLES];
  const [row] = await query<LiveApiKey & Pick<Session, 'sessionId'>>(findStatement, values);
  return row;
}

const findLinkStatement = {
  name: 'find-login-link',
  text: `select l.token_hash as "keyHash", ${LIVE_COLUMNS}
           from market.login_links l join market.api_keys k on k.key_id = l.key_id
          where l.token_hash = $1 and l.used_at is null and l.expires_at > now()
            and ${IS_LIVE}`,
};

/** Finds a link that is neither used nor expired, with its key. */
export async function findLoginLink(
  { query }: Pick<Database, 'query'>,
  tokenHash: Buffer,
): Promise<LiveApiKey | undefined> {
  const [row] = await query<LiveApiKey>(findLinkStatement, [tokenHash, APPROVING_ROLES]);
  return row;
}

const useStatement = {
  name: 'use-session',
  text: `update market.sessions set used_at = now()
          where session_id = $1 and used_at < now() - interval '${SESSION_USE_SECONDS / 2} seconds'`,
};

export async function recordUse(
  { write }: Pick<Database, 'write'>,
  sessionId: string,
): Promise<void> {
  await write(useStatement, [sessionId]);
}

const insertLinkStatement = {
  name: 'insert-login-link',
  text: `insert into market.login_links (token_hash, key_id, expires_at)
         values ($1, $2, now() + interval '${LINK_MINUTES} minutes') returning expires_at as "expiresAt"`,
};

/** Stores a link for a key. @returns when it expires */
export async function makeLoginLink(
  database: Pick<Database, 'transaction'>,
  tokenHash: Buffer,
  keyId: string,
  by: Actor,
): Promise<Date> {
  return await database.transaction(async (query) => {
    const { expiresAt } = only(
      await query<{ expiresAt: Date }>(insertLinkStatement, [tokenHash, keyId]),
    );
    const change = { action: 'login-link.create', subject: keyId, before: null } as const;
    await recordChange(query, by, { ...change, after: { expiresAt } });
    return expiresAt;
  });
}

const redeemStatement = {
  name: 'redeem-login-link',
  text: `update market.login_links set used_at = now()
          where token_hash = $1 and used_at is null and expires_at > now() returning key_id`,
};
const insertStatement = {
  name: 'insert-session',
  text: `with made as (
           insert into market.sessions (session_id, token_hash, key_id, expires_at)
           values ($1, $2, $3, now() + interval '${SESSION_HOURS} hours') returning *
         )
         select ${COLUMNS} from made s join market.api_keys k on k.key_id = s.key_id`,
};
const tooManyStatement = {
  name: 'list-sessions-beyond-bound',
  text: `select s.session_id as "sessionId" ${FROM} where s.key_id = $1 and ${IS_OPEN}
          order by s.created_at desc, s.session_id offset ${SESSIONS_MAX}`,
};

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
    if (linkHash !== null && (await query(redeemStatement, [linkHash])).length === 0)
      return undefined;
    const made = only(await query<Session>(insertStatement, [sessionId, tokenHash, keyId]));
    const beyond = await query<Pick<Session, 'sessionId'>>(tooManyStatement, [keyId]);
    for (const one of beyond) await end(query, one.sessionId, null, by);
    const change = { action: 'session.create', subject: sessionId, before: null } as const;
    const after = { ...made, by: linkHash === null ? 'key' : 'link' };
    await recordChange(query, by, { ...change, after });
    return made;
  });
}

const listStatement = {
  name: 'list-open-sessions',
  text: `select ${COLUMNS} ${FROM}
          where ${IS_OPEN} and s.session_id > $1 and ($2::text is null or s.key_id = $2)
          order by s.session_id limit $3`,
};

/** A page of open sessions after an id. @param keyId whose sessions; null: everybody's */
export async function listSessions(
  { query }: Pick<Database, 'query'>,
  after: string,
  keyId: string | null,
  limit: number,
): Promise<Session[]> {
  return await query<Session>(listStatement, [after, keyId, limit]);
}

const endStatement = {
  name: 'end-session',
  text: `update market.sessions s set ended_at = now() from market.api_keys k
          where k.key_id = s.key_id and s.session_id = $1 and ($2::text is null or s.key_id = $2) and ${IS_OPEN}
         returning ${COLUMNS}`,
};

async function end(query: Query, sessionId: string, keyId: string | null, by: Actor) {
  const [ended] = await query<Session>(endStatement, [sessionId, keyId]);
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

function only<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('a statement returned no row');
  return row;
}
