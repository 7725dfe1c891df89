/** `/v1/keys`: make, list and revoke API keys. A key is shown once, in the answer that made it. */
import type { Context } from 'hono';
import { z } from 'zod';
import { mintApiKey, SECRET_CHARS } from '../../../kit/access/api-key.ts';
import { listApiKeys, makeApiKey, revokeApiKey } from '../../../kit/access/api-keys.ts';
import { refuseShared } from '../../../kit/access/identities.ts';
import { type Approval, approvalSchema } from '../../../kit/approvals/approval.ts';
import { type Execute, propose } from '../../../kit/approvals/approvals.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { firstOf, timeText } from '../../../kit/database/statement.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { answer, bodyOf, change, list } from '../../../kit/http/operation.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { cursorOfNames } from '../../../kit/words/list-parameters.ts';
import { LIST_ROWS } from '../../../kit/words/page.ts';
import { idText } from '../../../kit/words/plain-text.ts';
import {
  type Key,
  keySchema,
  type Officer,
  ROLES,
  ROLES_APART,
  type Role,
} from '../../../kit/words/principal.ts';
import { wireTime } from '../../../kit/words/wire-time.ts';

const NAME_CHARS_MAX = 64;
/** An id is shorter than a secret, so that no answer repeats a secret that is given by mistake. */
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
    key: z
      .string()
      .meta({ description: 'Shown this once.', example: `risk_${KEY_ID_EXAMPLE}_SECRET` }),
    confirmed_at: keySchema.shape.confirmed_at,
    approval: approvalSchema.nullable().meta({ description: 'Null: the key needs none.' }),
  })
  .meta({ id: 'MintedKey' });

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

export const keyOperations = [
  change({
    at: '/v1/keys',
    operationId: 'createKey',
    summary: 'Make a key',
    description:
      'The roles risk_officer and personal_data are in force once a second person has confirmed the approval, or at once where a risk officer makes it for themselves with a key that has the same roles.',
    roles: MAKERS,
    body: bodyOf(newKeySchema, { roles: ['ingest'], client: 'shop', owner: 'payments team' }),
    answers: { 201: answer('The key, shown this once.', mintedKeySchema) },
    run: async ({ body: wanted, by, c }, database: Database) => {
      refuseMoreThanOwn(c, wanted);
      const { keyId, key, keyHash } = mintApiKey();
      const { client, holder, expires_at } = wanted;
      const roles: Role[] = [...new Set(wanted.roles)];
      const expiresAt = expires_at === undefined ? null : new Date(expires_at);
      const wished = { keyId, keyHash, roles, client, holder, expiresAt };
      let approval = null as Approval | null;
      const { confirmed_at } = await makeApiKey(database, wished, by, async (query) => {
        approval = await proposeKey(query, by, keyId);
      });
      return { key_id: keyId, key, confirmed_at, approval };
    },
  }),
  list({
    at: '/v1/keys',
    operationId: 'listKeys',
    summary: 'Keys, without their secrets',
    roles: MAKERS,
    query: cursorOfNames(idText(NAME_CHARS_MAX), KEY_ID_EXAMPLE),
    row: keySchema,
    says: 'One page.',
    rows: ({ query: { cursor = '' } }, database: Database) =>
      listApiKeys(database.query, cursor, LIST_ROWS),
    cursorOf: ({ key_id: id }) => id,
  }),
  change({
    method: 'delete',
    at: '/v1/keys/{id}',
    operationId: 'revokeKey',
    summary: 'Revoke a key; it stops working within a second',
    roles: ['admin'],
    path,
    answers: { 204: { description: 'Revoked.' } },
    run: async ({ path: { id }, by }, database: Database) => {
      const isKnown = KEY_ID.test(id) && (await revokeApiKey(database, id, by));
      if (!isKnown) throw unknownKey(id);
      return undefined;
    },
  }),
];

type Unconfirmed = Pick<Key, 'identity' | 'roles'>;
const findUnconfirmed = firstOf<Unconfirmed, [keyId: string, apart: readonly Role[]]>(
  'find-unconfirmed-key',
  'select identity, roles from market.api_keys where key_id = $1 and confirmed_at is null and roles && $2::text[]',
);

/** Asks a second person about a key whose roles need a confirmation. A repetition answers the approval that waits. */
export async function proposeKey(query: Query, by: Officer, keyId: string) {
  const detail = await findUnconfirmed(query, keyId, ROLES_APART);
  return detail === undefined ? null : propose(query, { kind: 'key', subject: keyId, detail }, by);
}

const confirm = firstOf<{ confirmed_at: string }, [keyId: string, byKeyId: string]>(
  'confirm-api-key',
  `update market.api_keys set confirmed_by = $2, confirmed_at = now() where key_id = $1 and revoked_at is null
   returning ${timeText('confirmed_at')} as confirmed_at`,
);

/** Puts the roles apart of a key in force. The person who gets the key may not confirm the key, either. */
export const executeKey: Execute<unknown> = async (query, { subject: keyId }, by) => {
  await refuseShared({ query }, keyId, by.keyId);
  const confirmed = await confirm(query, keyId, by.keyId);
  if (confirmed !== undefined) return confirmed;
  throw new Failure('conflict', 'KEY_REVOKED', `the key ${keyId} is revoked: issue another key`);
};
