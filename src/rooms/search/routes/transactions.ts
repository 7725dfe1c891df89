/** `GET /v1/transactions/{id}` reads a transaction, and `GET /v1/idempotency-keys/{key}` finds the id for a key. */
import { z } from 'zod';
import { TRANSACTION_ID } from '../../../core/accept/examples.ts';
import { transactionIdInput } from '../../../core/domain/label.ts';
import { TRANSACTION_LIMITS } from '../../../core/domain/transaction.ts';
import { readFor } from '../../../core/read-for.ts';
import { findKnownKeys } from '../../../core/store/idempotency-keys/key-slices.ts';
import { ageHeaders } from '../../../kit/http/answers/answer-headers.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import { checkRole } from '../../../kit/http/auth/auth.ts';
import { ownClientAlone } from '../../../kit/http/openapi.ts';
import { answer, read } from '../../../kit/http/operation.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { idText } from '../../../kit/words/plain-text.ts';
import { clientSeen, withReaders } from '../../../kit/words/principal.ts';
import { selectFields } from '../../../kit/words/selected-fields.ts';
import { FIELD_NAMES, transactionSelected } from '../queries/fields.ts';
import {
  expandTransaction,
  type Parts,
  readTransaction,
  transactionDetailSchema,
  transactionParameters,
} from '../queries/read-transaction.ts';

/** The transaction that a path names. */
export const transactionPath = z.object({
  id: transactionIdInput.meta({ description: 'The transaction.', example: TRANSACTION_ID }),
});

export const readOneTransaction = read({
  at: '/v1/transactions/{id}',
  operationId: 'readTransaction',
  summary: 'One transaction and what became of it',
  ...ownClientAlone(),
  roles: ['analyst', 'ingest'],
  path: transactionPath,
  query: transactionParameters,
  headers: ageHeaders,
  answers: {
    200: answer(
      'The transaction.',
      z.union([transactionDetailSchema, transactionSelected(transactionDetailSchema)]),
    ),
  },
  problems: [404, 410],
  run: async ({ path: { id }, query: { expand, fields }, c }, parts: Parts) => {
    const client = clientSeen(c.get('principal'));
    if (expand?.has('explanation') === true) checkRole(c, withReaders(['analyst']));
    const transaction = await readFor(c, parts.databases, async (from) => {
      const found = await readTransaction(from, id, client);
      if (found === undefined || expand === undefined) return found;
      return await expandTransaction(from, parts, found, client, expand);
    });
    const select = selectFields(FIELD_NAMES.transaction, fields);
    if (transaction !== undefined) return select(transaction);
    throw new Problem('not-found', `No transaction has the id ${given(id)}.`);
  },
});

export const findByKey = read({
  at: '/v1/idempotency-keys/{key}',
  operationId: 'findTransactionByKey',
  summary: 'Find the transaction of an idempotency key of your client',
  roles: ['analyst', 'ingest'],
  path: z.object({
    key: idText(TRANSACTION_LIMITS.idempotencyKeyChars).meta({
      description: 'As it was sent.',
      example: 'order-1001',
    }),
  }),
  answers: {
    200: answer('The transaction.', z.object({ transaction_id: z.uuid() })),
  },
  problems: [404],
  run: async ({ path: { key }, c }, { databases }: Parts) => {
    const { client } = c.get('principal');
    const [found] = await findKnownKeys(databases.primary.query, client, [key]);
    if (found !== undefined) return { transaction_id: found.transactionId };
    throw new Problem('not-found', `No transaction of the client was sent with ${given(key)}.`);
  },
});
