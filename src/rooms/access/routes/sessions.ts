/**
 * `/v1/sessions`: logins of browsers, and `/v1/me`, who a request counts as. A login exchanges an API key, or a link that was
 * made with one, for a cookie; the key itself is never stored in a browser.
 */
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
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
import { actorOf, requireRole } from '../../../kit/http/auth/auth.ts';
import { sessionCookie } from '../../../kit/http/auth/credential.ts';
import { readQuery } from '../../../kit/http/body/body.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { CURSOR_DESCRIPTION } from '../../../kit/words/list-parameters.ts';
import { ROLES } from '../../../kit/words/principal.ts';
import {
  LINK_MINUTES,
  SESSION_HOURS,
  SESSION_IDLE_MINUTES,
  type Session,
} from '../../../kit/words/session.ts';

const PAGE = 200;
const ID = /^[A-Za-z0-9]{1,32}$/;
const ID_EXAMPLE = '4fQd2mXa1';

const sessionSchema = z
  .object({
    session_id: z.string(),
    key_id: z.string(),
    owner: z.string(),
    identity: z.string().nullable(),
    created_at: z.iso.datetime(),
    used_at: z.iso.datetime().meta({ description: 'Last use, to the minute.' }),
    expires_at: z.iso.datetime(),
    current: z.boolean().meta({ description: 'Whether the request itself is of this session.' }),
  })
  .meta({ id: 'Session' });

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
    token: z.string().meta({ description: 'Shown this once: /console#login=TOKEN logs in.' }),
    expires_at: z.iso.datetime(),
  })
  .meta({ id: 'LoginLink' });

const listSchema = z.object({ items: z.array(sessionSchema), next_cursor: z.string().nullable() });
const idCursor = z
  .string()
  .regex(ID, 'must be the next_cursor of this list')
  .optional()
  .meta({ description: CURSOR_DESCRIPTION, examples: [ID_EXAMPLE] });
const path = z.object({
  id: z.string().meta({ description: 'The session id.', example: ID_EXAMPLE }),
});
const listParameters = z.strictObject({ cursor: idCursor });

export function sessionsRoutes(database: Database): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const anyRole = requireRole(...ROLES);

  routes.get('/v1/me', anyRole, (c) => {
    const { keyId, roles, client, owner, identity, sessionId = null } = c.get('principal');
    const me = { key_id: keyId, roles: [...roles], client, owner, identity };
    return c.json({ ...me, session_id: sessionId });
  });

  routes.post('/v1/sessions', anyRole, async (c) => {
    refuseSession(c, 'log in');
    const credential = c.get('credential');
    const { token, ...session } = mintSession();
    const { keyId } = c.get('principal');
    const linkHash = credential.kind === 'link' ? apiKeyHash(credential.token) : null;
    const made = await beginSession(database, { session, keyId, linkHash }, actorOf(c));
    if (made === undefined)
      throw new Problem('unauthorized', 'The link is unknown, used or expired.');
    c.header('Set-Cookie', sessionCookie(token));
    return c.json(toSessionJson(made, made.sessionId), 201);
  });

  routes.post('/v1/sessions/links', anyRole, async (c) => {
    refuseSession(c, 'make links');
    const { token, tokenHash } = mintLink();
    const { keyId } = c.get('principal');
    const expiresAt = await makeLoginLink(database, tokenHash, keyId, actorOf(c));
    return c.json({ token, expires_at: expiresAt.toISOString() }, 201);
  });

  routes.get('/v1/sessions', anyRole, async (c) => {
    const { cursor = '' } = readQuery(c, listParameters);
    const listed = await listSessions(database, cursor, keySeen(c), PAGE);
    const last = listed.length === PAGE ? listed.at(-1)?.sessionId : undefined;
    const { sessionId } = c.get('principal');
    const items = listed.map((one) => toSessionJson(one, sessionId));
    return c.json({ items, next_cursor: last ?? null });
  });

  routes.delete('/v1/sessions/:id', anyRole, async (c) => {
    const id = c.req.param('id');
    const isEnded = ID.test(id) && (await endSession(database, id, keySeen(c), actorOf(c)));
    if (!isEnded) throw new Problem('not-found', `No open session has the id ${given(id)}.`);
    if (id === c.get('principal').sessionId) c.header('Set-Cookie', sessionCookie(null));
    return c.body(null, 204);
  });

  return routes;
}

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

function toSessionJson(session: Session, current?: string): z.infer<typeof sessionSchema> {
  return {
    session_id: session.sessionId,
    key_id: session.keyId,
    owner: session.owner,
    identity: session.identity,
    created_at: session.createdAt.toISOString(),
    used_at: session.usedAt.toISOString(),
    expires_at: session.expiresAt.toISOString(),
    current: session.sessionId === current,
  };
}

const sessionExample = {
  session_id: ID_EXAMPLE,
  key_id: 'k7Qd2mXa',
  owner: 'Ann',
  identity: 'Ann',
  created_at: '2026-11-20T08:00:00.000Z',
  used_at: '2026-11-20T08:40:00.000Z',
  expires_at: '2026-11-20T20:00:00.000Z',
  current: true,
};

const tags = ['sessions'];
const security = allowedRoles(...ROLES);

export const sessionsPaths: ZodOpenApiPathsObject = {
  '/v1/me': {
    get: {
      operationId: 'readMe',
      summary: 'The key, person and roles of the request',
      tags,
      security,
      responses: {
        200: {
          description: 'Who the request counts as.',
          content: json(meSchema, {
            key_id: 'k7Qd2mXa',
            roles: ['analyst'],
            client: 'default',
            owner: 'Ann',
            identity: 'Ann',
            session_id: null,
          }),
        },
        ...problemResponses(),
      },
    },
  },
  '/v1/sessions': {
    get: {
      operationId: 'listSessions',
      summary: "Open sessions of the own key; an admin's request lists all",
      tags,
      security,
      requestParams: { query: listParameters },
      responses: {
        200: {
          description: 'One page, by id.',
          content: json(listSchema, { items: [sessionExample], next_cursor: null }),
        },
        ...problemResponses(422),
      },
    },
    post: {
      operationId: 'logIn',
      summary: 'Begin a session: a cookie in exchange for an API key',
      description: `The key, or the token of a link, is sent as Bearer. The session ends after ${SESSION_IDLE_MINUTES} minutes without use, after ${SESSION_HOURS} hours at the latest, and with its key. A request with its cookie that may change something needs the header X-Risk-Console and an Origin that is the Host.`,
      tags,
      security,
      responses: {
        201: {
          description: 'Logged in.',
          headers: answerHeaders('Set-Cookie'),
          content: json(sessionSchema, sessionExample),
        },
        ...problemResponses(409),
      },
    },
  },
  '/v1/sessions/links': {
    post: {
      operationId: 'makeLoginLink',
      summary: 'Make a link that logs a browser in once, with the roles of the key',
      description: `It works within ${LINK_MINUTES} minutes.`,
      tags,
      security,
      responses: {
        201: {
          description: 'The link.',
          content: json(linkSchema, {
            token: 'risk_login_…',
            expires_at: '2026-11-20T08:10:00.000Z',
          }),
        },
        ...problemResponses(409),
      },
    },
  },
  '/v1/sessions/{id}': {
    delete: {
      operationId: 'endSession',
      summary: "End a session of the own key; an admin's request ends any",
      tags,
      security,
      requestParams: { path },
      responses: {
        204: { description: 'Ended.', headers: answerHeaders('Set-Cookie') },
        ...problemResponses(404),
      },
    },
  },
};
