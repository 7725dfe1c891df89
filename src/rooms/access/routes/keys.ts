/** `/v1/keys`: make, list and revoke API keys. A key is shown once, in the answer that made it. */
import type { Context } from 'hono';
import { z } from 'zod';
import { mintApiKey, SECRET_CHARS } from '../../../kit/access/api-key.ts';
import {
  confirmApiKey,
  listApiKeys,
  makeApiKey,
  revokeApiKey,
} from '../../../kit/access/api-keys.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { answer, bodyOf, operation } from '../../../kit/http/operation.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { CURSOR_DESCRIPTION } from '../../../kit/words/list-parameters.ts';
import { pageOf } from '../../../kit/words/page.ts';
import { idText } from '../../../kit/words/plain-text.ts';
import { APPROVING_ROLES, keySchema, ROLES, type Role } from '../../../kit/words/principal.ts';
import { wireTime } from '../../../kit/words/wire-time.ts';

const NAME_CHARS_MAX = 64;
const KEYS_PAGE = 200;
/** Shorter than a secret, so that none is repeated that is given by mistake. */
const KEY_ID = new RegExp(`^[A-Za-z0-9]{1,${SECRET_CHARS - 1}}$`);
const MAKERS = ['admin', 'risk_officer'] as const;

const KEY_ID_EXAMPLE = 'k7Qd2mXa';

const newKeySchema = z
  .strictObject({
    roles: z
      .array(z.enum(ROLES))
      .min(1)
      .max(ROLES.length)
      .meta({ description: 'What the key may do.' }),
    client: idText(NAME_CHARS_MAX)
      .default('default')
      .meta({ description: 'The client whose idempotency keys and transactions the key shares.' }),
    owner: idText(NAME_CHARS_MAX)
      .optional()
      .meta({ description: 'Who answers for a key that belongs to no person.' }),
    identity: idText(NAME_CHARS_MAX).optional().meta({
      description:
        'The person who holds the key; a new name makes a person. The roles risk_officer and personal_data need one.',
    }),
    expires_at: wireTime.optional().meta({ description: 'When the key ends.' }),
  })
  .transform(({ owner, identity, ...key }, context) => {
    if (identity !== undefined && owner === undefined) return { ...key, holder: { identity } };
    if (owner !== undefined && identity === undefined) return { ...key, holder: { owner } };
    const path = [identity === undefined ? 'owner' : 'identity'];
    context.addIssue({ code: 'custom', message: 'must be given, or identity in its place', path });
    return z.NEVER;
  })
  .meta({ id: 'NewKey' });
type NewKey = z.output<typeof newKeySchema>;

const mintedKeySchema = z
  .object({
    key_id: z.string(),
    key: z.string().meta({ description: 'Shown this once.' }),
    confirmed_at: keySchema.shape.confirmed_at,
  })
  .meta({ id: 'MintedKey' });

const listSchema = z.object({ items: z.array(keySchema), next_cursor: z.string().nullable() });
const idCursor = idText(NAME_CHARS_MAX)
  .optional()
  .meta({ description: CURSOR_DESCRIPTION, examples: [KEY_ID_EXAMPLE] });
const listParameters = z.strictObject({ cursor: idCursor });

function unknownKey(keyId: string): Problem {
  const id = KEY_ID.test(keyId) ? `the id ${given(keyId)}` : 'this id';
  return new Problem('not-found', `No key has ${id}.`);
}

/** An admin may make any key. An officer may make keys of people only, for the own client and with roles of the own key. */
function refuseMoreThanOwn(c: Context<AppEnv>, { roles, client, holder }: NewKey): void {
  const own = c.get('principal');
  if (own.roles.has('admin')) return;
  if (client !== own.client)
    throw new Problem(
      'forbidden',
      `The key may only make keys of the client ${given(own.client)}, not of ${given(client)}.`,
    );
  if (!('identity' in holder) || roles.some((role) => !own.roles.has(role))) {
    throw new Problem(
      'forbidden',
      `The key may only make keys of people, with the roles ${[...own.roles].join(', ')}; a person who is an admin makes others.`,
    );
  }
}

const path = z.object({
  id: z.string().meta({ description: 'The key id.', example: KEY_ID_EXAMPLE }),
});
const newKeyExample: z.input<typeof newKeySchema> = {
  roles: ['ingest'],
  client: 'shop',
  owner: 'payments team',
};
const mintedExample = {
  key_id: KEY_ID_EXAMPLE,
  key: `risk_${KEY_ID_EXAMPLE}_SECRET`,
  confirmed_at: null,
};
const keyExample: z.input<typeof keySchema> = {
  key_id: KEY_ID_EXAMPLE,
  roles: ['ingest'],
  client: 'shop',
  owner: 'payments team',
  identity: null,
  made_by: null,
  confirmed_by: null,
  confirmed_at: null,
  created_at: '2026-11-20T08:00:00.000Z',
  expires_at: null,
  revoked_at: null,
};

export const keyOperations = [
  operation({
    method: 'post',
    at: '/v1/keys',
    operationId: 'createKey',
    summary: 'Make a key',
    description:
      'The roles risk_officer and personal_data are in force once a second person has confirmed the key, or at once where a risk officer makes it for themselves with a key that has the same roles.',
    roles: MAKERS,
    body: bodyOf(newKeySchema, newKeyExample),
    answers: { 201: answer('The key, shown this once.', mintedKeySchema, mintedExample) },
    problems: [409],
    run: async ({ body: wanted, by, c }, database: Database) => {
      refuseMoreThanOwn(c, wanted);
      const { keyId, key, keyHash } = mintApiKey();
      const { client, holder, expires_at } = wanted;
      const roles: Role[] = [...new Set(wanted.roles)];
      const expiresAt = expires_at === undefined ? null : new Date(expires_at);
      const wished = { keyId, keyHash, roles, client, holder, expiresAt };
      const { confirmed_at } = await makeApiKey(database, wished, by);
      return { key_id: keyId, key, confirmed_at };
    },
  }),
  operation({
    method: 'get',
    at: '/v1/keys',
    operationId: 'listKeys',
    summary: 'Keys, without their secrets',
    roles: MAKERS,
    query: listParameters,
    answers: {
      200: answer('One page.', listSchema, { items: [keyExample], next_cursor: null }),
    },
    run: async ({ query: { cursor = '' } }, database: Database) => {
      const keys = await listApiKeys(database.query, cursor, KEYS_PAGE);
      return pageOf(keys, KEYS_PAGE, ({ key_id: id }) => id);
    },
  }),
  operation({
    method: 'post',
    at: '/v1/keys/{id}/confirm',
    operationId: 'confirmKey',
    summary:
      'Confirm that a key of a risk officer or for personal data belongs to another person than its maker',
    description:
      'The caller must be a person who may hold neither key: makers of a key, or of its person, count as its holders.',
    roles: APPROVING_ROLES,
    anyPath: path,
    answers: { 200: answer('The key.', keySchema, keyExample) },
    problems: [404, 409],
    run: async ({ by, c }, database: Database) => {
      const keyId = c.req.param('id') ?? '';
      if (!KEY_ID.test(keyId)) throw unknownKey(keyId);
      return await confirmApiKey(database, keyId, by);
    },
  }),
  operation({
    method: 'delete',
    at: '/v1/keys/{id}',
    operationId: 'revokeKey',
    summary: 'Revoke a key; it stops working within a second',
    roles: ['admin'],
    anyPath: path,
    answers: { 204: { description: 'Revoked.' } },
    problems: [404],
    run: async ({ by, c }, database: Database) => {
      const keyId = c.req.param('id') ?? '';
      const isKnown = KEY_ID.test(keyId) && (await revokeApiKey(database, keyId, by));
      if (!isKnown) throw unknownKey(keyId);
      return undefined;
    },
  }),
];
