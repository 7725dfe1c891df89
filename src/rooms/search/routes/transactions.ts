/** `GET /v1/transactions`: list transactions, and read one. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { foundTransaction, NEXT_CURSOR, TRANSACTION_ID } from '../../../core/accept/examples.ts';
import {
  foundTransactionSchema,
  SEARCH_DESCRIPTION,
  searchPageSchema,
} from '../../../core/read/search-json.ts';
import { transactionSearchParameters } from '../../../core/read/search-parameters.ts';
import {
  transactionDetailSchema,
  transactionParameters,
} from '../../../core/read/transaction-json.ts';
import { ageHeaders, sayAge } from '../../../kit/http/answers/age.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { checkRole, requireRole } from '../../../kit/http/auth/auth.ts';
import { readQuery } from '../../../kit/http/body/body.ts';
import { readToken, tokenParameter } from '../../../kit/http/consistency.ts';
import { allowedRoles, json, ownClientAlone, problemResponses } from '../../../kit/http/openapi.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { clientSeen } from '../../../kit/words/principal.ts';
import { transactionDetail } from '../examples/transactions.ts';
import type { Reading } from '../queries/reading.ts';

export function transactionsRoutes({ readTransaction, searchTransactions }: Reading): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/v1/transactions', requireRole('analyst'), async (c) => {
    const parameters = readQuery(c, transactionSearchParameters);
    return c.json(sayAge(c, await searchTransactions(parameters, readToken(c))));
  });

  routes.get('/v1/transactions/:id', requireRole('analyst', 'ingest'), async (c) => {
    const client = clientSeen(c.get('principal'));
    const parameters = readQuery(c, transactionParameters);
    if (parameters.expand?.has('explanation') === true) checkRole(c, ['analyst']);
    const id = c.req.param('id');
    const transaction = sayAge(c, await readTransaction(id, client, parameters, readToken(c)));
    if (transaction === undefined) {
      throw new Problem('not-found', `No transaction has the id ${given(id)}.`);
    }
    return c.json(transaction);
  });

  return routes;
}

const tags = ['transactions'];

export const transactionsPaths: ZodOpenApiPathsObject = {
  '/v1/transactions': {
    get: {
      operationId: 'listTransactions',
      summary: 'Search transactions',
      description: SEARCH_DESCRIPTION,
      tags,
      security: allowedRoles('analyst'),
      requestParams: { query: transactionSearchParameters, header: tokenParameter },
      responses: {
        200: {
          description: 'One page.',
          headers: ageHeaders,
          content: json(searchPageSchema(foundTransactionSchema), {
            ...{ items: [foundTransaction], next_cursor: NEXT_CURSOR, complete: true },
            ...{ searched_to: foundTransaction.created_at, total: { count: 3, more: false } },
          }),
        },
        ...problemResponses(422),
      },
    },
  },
  '/v1/transactions/{id}': {
    get: {
      operationId: 'readTransaction',
      summary: 'One transaction and what became of it',
      ...ownClientAlone(),
      tags,
      security: allowedRoles('analyst', 'ingest'),
      requestParams: {
        path: z.object({
          id: z.string().meta({ description: 'The transaction.', example: TRANSACTION_ID }),
        }),
        query: transactionParameters,
        header: tokenParameter,
      },
      responses: {
        200: {
          description: 'The transaction.',
          headers: ageHeaders,
          content: json(transactionDetailSchema, transactionDetail),
        },
        ...problemResponses(404, 410, 422),
      },
    },
  },
};
