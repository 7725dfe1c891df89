/**
 * `/v1/sessions`: logins of browsers, and `/v1/me`, who a request counts as. A login exchanges an API key, or a link that was
 * made with one, for a cookie; the key itself is never stored in a browser.
 */
import type { Context } from 'hono';
import { z } from 'zod';
import { apiKeyHash, mintLink, mintSession } from '../../../kit/access/api-key.ts';
import {
  beginSession,
  endSession,
  listSessions,
  makeLoginLink,
} from '../../../kit/access/sessions.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { answerHeaders } from '../../../kit/http/answers/answer-headers.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { sessionCookie } from '../../../kit/http/auth/credential.ts';
import { answer, change, list, read } from '../../../kit/http/operation.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { cursorOfNames } from '../../../kit/words/list-parameters.ts';
import { LIST_ROWS } from '../../../kit/words/page.ts';
import { ROLES } from '../../../kit/words/principal.ts';
import {
  LINK_MINUTES,
  SESSION_HOURS,
  SESSION_IDLE_MINUTES,
  sessionSchema,
} from '../../../kit/words/session.ts';

const ID = /^[A-Za-z0-9]{1,32}$/;
const ID_EXAMPLE = '4fQd2mXa1';

const meSchema = z
  .object({
    key_id: z.string(),
    roles: z.array(z.enum(ROLES)).meta({ description: 'Roles in force.' }),
    client: z.string(),
    owner: z.string(),
    identity: z.string().nullable(),
    session_id: z.string().nullable().meta({ description: 'Null for a request with a key.' }),
  })
  .meta({ id: 'Me' });

const linkSchema = z
  .object({
    token: z.string().meta({
      description: 'Shown this once: /console#login=TOKEN logs in.',
      example: 'risk_login_…',
    }),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'LoginLink' });

const path = z.object({
  id: z.string().meta({ description: 'The session id.', example: ID_EXAMPLE }),
});
const sessionId = z.string().regex(ID, 'must be the next_cursor of this list');

/** A session that could begin another one would never end. */
function refuseSession(c: Context<AppEnv>, what: string): void {
  if (c.get('credential').kind !== 'session') return;
  throw new Problem('conflict', `A session cannot ${what}: send an API key.`);
}

/** The key whose sessions a request reaches; null: everybody's. */
function keySeen(c: Context<AppEnv>): string | null {
  const { roles, keyId } = c.get('principal');
  return roles.has('admin') ? null : keyId;
}

export const sessionOperations = [
  read({
    at: '/v1/me',
    operationId: 'readMe',
    summary: 'The key, person and roles of the request',
    roles: ROLES,
    answers: { 200: answer('Who the request counts as.', meSchema) },
    run: ({ c }) => {
      const { keyId, roles, client, owner, identity, sessionId = null } = c.get('principal');
      const me = { key_id: keyId, roles: [...roles], client, owner, identity };
      return { ...me, session_id: sessionId };
    },
  }),
  list({
    at: '/v1/sessions',
    operationId: 'listSessions',
    summary: "Open sessions of the own key; an admin's request lists all",
    roles: ROLES,
    query: cursorOfNames(sessionId, ID_EXAMPLE),
    row: sessionSchema,
    says: 'One page, by id.',
    rows: async ({ query: { cursor = '' }, c }, database: Database) => {
      const { sessionId } = c.get('principal');
      const listed = await listSessions(database.query, cursor, keySeen(c), LIST_ROWS);
      return listed.map((session) => ({ ...session, current: session.session_id === sessionId }));
    },
    cursorOf: ({ session_id: id }) => id,
  }),
  change({
    at: '/v1/sessions',
    operationId: 'logIn',
    summary: 'Begin a session: a cookie in exchange for an API key',
    description: `The key, or the token of a link, is sent as Bearer. The session ends after ${SESSION_IDLE_MINUTES} minutes without use, after ${SESSION_HOURS} hours at the latest, and with its key. A request with its cookie that may change something needs the header X-Risk-Console and an Origin that is the Host.`,
    roles: ROLES,
    headers: answerHeaders('Set-Cookie'),
    answers: { 201: answer('Logged in.', sessionSchema) },
    run: async ({ by, c }, database: Database) => {
      refuseSession(c, 'log in');
      const credential = c.get('credential');
      const { token, ...session } = mintSession();
      const { keyId } = c.get('principal');
      const linkHash = credential.kind === 'link' ? apiKeyHash(credential.token) : null;
      const made = await beginSession(database, { session, keyId, linkHash }, by);
      if (made === undefined)
        throw new Problem('unauthorized', 'The link is unknown, used or expired.');
      c.header('Set-Cookie', sessionCookie(token));
      return { ...made, current: true };
    },
  }),
  change({
    at: '/v1/sessions/links',
    operationId: 'makeLoginLink',
    summary: 'Make a link that logs a browser in once, with the roles of the key',
    description: `It works within ${LINK_MINUTES} minutes.`,
    roles: ROLES,
    answers: { 201: answer('The link.', linkSchema) },
    run: async ({ by, c }, database: Database) => {
      refuseSession(c, 'make links');
      const { token, tokenHash } = mintLink();
      const { keyId } = c.get('principal');
      const expiresAt = await makeLoginLink(database, tokenHash, keyId, by);
      return { token, expires_at: expiresAt.toISOString() };
    },
  }),
  change({
    method: 'delete',
    at: '/v1/sessions/{id}',
    operationId: 'endSession',
    summary: "End a session of the own key; an admin's request ends any",
    roles: ROLES,
    path,
    answers: { 204: { description: 'Ended.', headers: answerHeaders('Set-Cookie') } },
    run: async ({ path: { id }, by, c }, database: Database) => {
      const isEnded = ID.test(id) && (await endSession(database, id, keySeen(c), by));
      if (!isEnded) throw new Problem('not-found', `No open session has the id ${given(id)}.`);
      if (id === c.get('principal').sessionId) c.header('Set-Cookie', sessionCookie(null));
      return undefined;
    },
  }),
];
