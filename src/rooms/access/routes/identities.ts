/** `/v1/identities`: lists people who own keys, and revokes them. `POST /v1/keys` makes them. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { listIdentities, revokeIdentity } from '../../../kit/access/identities.ts';
import type { Database } from '../../../kit/database/pool.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../../kit/http/auth/auth.ts';
import { checkFields, readQuery } from '../../../kit/http/body/body.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import type { StoredIdentity } from '../../../kit/words/identity.ts';
import { CURSOR_DESCRIPTION } from '../../../kit/words/list-parameters.ts';
import { plainText } from '../../../kit/words/plain-text.ts';

const NAME_CHARS_MAX = 64;
const PAGE = 200;
const READERS = ['admin', 'risk_officer'] as const;

const identitySchema = z
  .object({
    identity: z.string(),
    created_at: z.iso.datetime(),
    made_by: z.string().nullable().meta({ description: 'Key id; null: made by DATABASE_URL.' }),
    revoked_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Identity' });

const path = z.object({
  id: plainText(NAME_CHARS_MAX).meta({ description: 'The name.', example: 'Ann' }),
});
const listSchema = z.object({ items: z.array(identitySchema), next_cursor: z.string().nullable() });
const nameCursor = plainText(NAME_CHARS_MAX)
  .optional()
  .meta({ description: CURSOR_DESCRIPTION, examples: ['Ann'] });
const listParameters = z.strictObject({ cursor: nameCursor });

export function identitiesRoutes(database: Database): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/v1/identities', requireRole(...READERS), async (c) => {
    const people = await listIdentities(database, readQuery(c, listParameters).cursor ?? '', PAGE);
    const last = people.length === PAGE ? people.at(-1)?.identity : undefined;
    return c.json({ items: people.map(toIdentityJson), next_cursor: last ?? null });
  });

  routes.delete('/v1/identities/:id', requireRole('admin'), async (c) => {
    const { id } = checkFields(path, c.req.param());
    await revokeIdentity(database, id, actorOf(c));
    return c.body(null, 204);
  });

  return routes;
}

function toIdentityJson(person: StoredIdentity): z.infer<typeof identitySchema> {
  return {
    identity: person.identity,
    created_at: person.createdAt.toISOString(),
    made_by: person.madeBy,
    revoked_at: person.revokedAt?.toISOString() ?? null,
  };
}

const identityExample = {
  identity: 'Ann',
  created_at: '2026-11-20T08:00:00.000Z',
  made_by: null,
  revoked_at: null,
};

const tags = ['keys'];

export const identitiesPaths: ZodOpenApiPathsObject = {
  '/v1/identities': {
    get: {
      operationId: 'listIdentities',
      summary: 'People, and who made them',
      tags,
      security: allowedRoles(...READERS),
      requestParams: { query: listParameters },
      responses: {
        200: {
          description: 'One page, by name.',
          content: json(listSchema, { items: [identityExample], next_cursor: null }),
        },
        ...problemResponses(422),
      },
    },
  },
  '/v1/identities/{id}': {
    delete: {
      operationId: 'revokeIdentity',
      summary: 'Revoke a person and all their keys for good',
      tags,
      security: allowedRoles('admin'),
      requestParams: { path },
      responses: { 204: { description: 'Revoked.' }, ...problemResponses(404, 409, 422) },
    },
  },
};
