/** `/v1/identities`: lists people who own keys, and revokes them. `POST /v1/keys` makes them. */
import { z } from 'zod';
import { listIdentities, revokeIdentity } from '../../../kit/access/identities.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { answer, operation } from '../../../kit/http/operation.ts';
import { CURSOR_DESCRIPTION } from '../../../kit/words/list-parameters.ts';
import { pageOf } from '../../../kit/words/page.ts';
import { idText } from '../../../kit/words/plain-text.ts';
import { identitySchema } from '../../../kit/words/principal.ts';

const NAME_CHARS_MAX = 64;
const PAGE = 200;
const READERS = ['admin', 'risk_officer'] as const;

const path = z.object({
  id: idText(NAME_CHARS_MAX).meta({ description: 'The name.', example: 'Ann' }),
});
const listSchema = z.object({ items: z.array(identitySchema), next_cursor: z.string().nullable() });
const nameCursor = idText(NAME_CHARS_MAX)
  .optional()
  .meta({ description: CURSOR_DESCRIPTION, examples: ['Ann'] });
const listParameters = z.strictObject({ cursor: nameCursor });

const identityExample = {
  identity: 'Ann',
  created_at: '2026-11-20T08:00:00.000Z',
  made_by: null,
  revoked_at: null,
};

export const identityOperations = [
  operation({
    method: 'get',
    at: '/v1/identities',
    operationId: 'listIdentities',
    summary: 'People, and who made them',
    roles: READERS,
    query: listParameters,
    answers: {
      200: answer('One page, by name.', listSchema, {
        items: [identityExample],
        next_cursor: null,
      }),
    },
    run: async ({ query: { cursor = '' } }, database: Database) => {
      const people = await listIdentities(database.query, cursor, PAGE);
      return pageOf(people, PAGE, ({ identity }) => identity);
    },
  }),
  operation({
    method: 'delete',
    at: '/v1/identities/{id}',
    operationId: 'revokeIdentity',
    summary: 'Revoke a person and all their keys for good',
    roles: ['admin'],
    path,
    answers: { 204: { description: 'Revoked.' } },
    problems: [404, 409],
    run: async ({ path: { id }, by }, database: Database) => {
      await revokeIdentity(database, id, by);
      return undefined;
    },
  }),
];
