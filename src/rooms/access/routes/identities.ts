/** `/v1/identities`: lists people who own keys, and revokes them. `POST /v1/keys` makes them. */
import { z } from 'zod';
import { listIdentities, revokeIdentity } from '../../../kit/access/identities.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { change, list } from '../../../kit/http/operation.ts';
import { cursorOfNames } from '../../../kit/words/list-parameters.ts';
import { LIST_ROWS } from '../../../kit/words/page.ts';
import { idText } from '../../../kit/words/plain-text.ts';
import { identitySchema } from '../../../kit/words/principal.ts';

const NAME_CHARS_MAX = 64;

const path = z.object({
  id: idText(NAME_CHARS_MAX).meta({ description: 'The name.', example: 'Ann' }),
});

export const identityOperations = [
  list({
    at: '/v1/identities',
    operationId: 'listIdentities',
    summary: 'People, and who made them',
    roles: ['admin', 'risk_officer'],
    query: cursorOfNames(idText(NAME_CHARS_MAX), 'Ann'),
    row: identitySchema,
    says: 'One page, by name.',
    rows: ({ query: { cursor = '' } }, database: Database) =>
      listIdentities(database.query, cursor, LIST_ROWS),
    cursorOf: ({ identity }) => identity,
  }),
  change({
    method: 'delete',
    at: '/v1/identities/{id}',
    operationId: 'revokeIdentity',
    summary: 'Revoke a person and all their keys for good',
    roles: ['admin'],
    path,
    answers: { 204: { description: 'Revoked.' } },
    run: async ({ path: { id }, by }, database: Database) => {
      await revokeIdentity(database, id, by);
      return undefined;
    },
  }),
];
