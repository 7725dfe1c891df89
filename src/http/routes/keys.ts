/** `/v1/keys`: make, list and revoke API keys. A key is shown once, in the answer that made it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ROLES, type Role } from '../../domain/principal.ts';
import { plainText } from '../../domain/transaction.ts';
import { wireTime } from '../../domain/wire-time.ts';
import { mintApiKey } from '../../runtime/api-key.ts';
import type { AppEnv } from '../app-env.ts';
import { requireRole } from '../auth.ts';
import { type BodyLimits, checkFields, readJson, readQuery } from '../body.ts';
import { allowedRoles, problemResponses } from '../openapi.ts';
import { Problem } from '../problem.ts';

/** A key as the store has it. */
export type StoredKey = {
  readonly keyId: string;
  readonly roles: readonly Role[];
  readonly client: string;
  readonly owner: string;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
};

export type NewKey = Pick<StoredKey, 'keyId' | 'roles' | 'client' | 'owner' | 'expiresAt'> & {
  readonly keyHash: Buffer;
};

export type KeysDependencies = {
  readonly insertKey: (key: NewKey) => Promise<void>;
  readonly listKeys: (afterKeyId: string, limit: number) => Promise<readonly StoredKey[]>;
  /** False when no key has this id. */
  readonly revokeKey: (keyId: string) => Promise<boolean>;
  readonly limits: BodyLimits;
};

const NAME_CHARS_MAX = 64;
const KEYS_PAGE = 200;

const newKeySchema = z
  .strictObject({
    roles: z.array(z.enum(ROLES)).min(1).max(ROLES.length),
    client: plainText(NAME_CHARS_MAX)
      .default('default')
      .meta({ description: 'Whose idempotency keys and transactions it shares.' }),
    owner: plainText(NAME_CHARS_MAX).meta({ description: 'Who answers for it.' }),
    expires_at: wireTime.optional(),
  })
  .meta({ id: 'NewKey' });

const keySchema = z
  .object({
    key_id: z.string(),
    roles: z.array(z.enum(ROLES)),
    client: z.string(),
    owner: z.string(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime().nullable(),
    revoked_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'Key' });

const mintedKeySchema = z
  .object({ key_id: z.string(), key: z.string().meta({ description: 'Shown this once.' }) })
  .meta({ id: 'MintedKey' });

const listSchema = z.object({ items: z.array(keySchema), next_cursor: z.string().nullable() });
const listParameters = z.strictObject({ cursor: plainText(NAME_CHARS_MAX).optional() });

export function keysRoutes({
  insertKey,
  listKeys,
  revokeKey,
  limits,
}: KeysDependencies): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.post('/v1/keys', requireRole('admin'), async (c) => {
    const input = checkFields(newKeySchema, await readJson(c, limits));
    const { keyId, key, keyHash } = mintApiKey();
    await insertKey({
      keyId,
      keyHash,
      roles: [...new Set(input.roles)],
      client: input.client,
      owner: input.owner,
      expiresAt: input.expires_at === undefined ? null : new Date(input.expires_at),
    });
    return c.json({ key_id: keyId, key }, 201);
  });

  routes.get('/v1/keys', requireRole('admin'), async (c) => {
    const { cursor = '' } = readQuery(c, listParameters);
    const keys = await listKeys(cursor, KEYS_PAGE);
    const last = keys.length === KEYS_PAGE ? keys.at(-1)?.keyId : undefined;
    return c.json({ items: keys.map(toKeyJson), next_cursor: last ?? null });
  });

  routes.delete('/v1/keys/:id', requireRole('admin'), async (c) => {
    const keyId = c.req.param('id');
    const isKnown = /^[A-Za-z0-9]{1,64}$/.test(keyId) && (await revokeKey(keyId));
    if (!isKnown) throw new Problem('not-found', 'No key has this id.');
    return c.body(null, 204);
  });

  return routes;
}

function toKeyJson(key: StoredKey): z.infer<typeof keySchema> {
  return {
    key_id: key.keyId,
    roles: [...key.roles],
    client: key.client,
    owner: key.owner,
    created_at: key.createdAt.toISOString(),
    expires_at: key.expiresAt?.toISOString() ?? null,
    revoked_at: key.revokedAt?.toISOString() ?? null,
  };
}

const tags = ['keys'];
const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } });

export const keysPaths: ZodOpenApiPathsObject = {
  '/v1/keys': {
    post: {
      operationId: 'createKey',
      summary: 'Make a key',
      tags,
      security: allowedRoles('admin'),
      requestBody: { required: true, content: json(newKeySchema) },
      responses: {
        201: { description: 'The key, shown this once.', content: json(mintedKeySchema) },
        ...problemResponses(400, 408, 413, 415, 422),
      },
    },
    get: {
      operationId: 'listKeys',
      summary: 'Keys, without their secrets',
      tags,
      security: allowedRoles('admin'),
      requestParams: { query: listParameters },
      responses: {
        200: { description: 'One page.', content: json(listSchema) },
        ...problemResponses(422),
      },
    },
  },
  '/v1/keys/{id}': {
    delete: {
      operationId: 'revokeKey',
      summary: 'Revoke a key; it stops working within a second',
      tags,
      security: allowedRoles('admin'),
      requestParams: { path: z.object({ id: z.string() }) },
      responses: { 204: { description: 'Revoked.' }, ...problemResponses(404) },
    },
  },
};
