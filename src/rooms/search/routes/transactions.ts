/** `GET /v1/transactions/{id}`: one transaction. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { TRANSACTION_ID } from '../../../core/accept/examples.ts';
import type { Api } from '../../../core/room.ts';
import { readAged } from '../../../kit/database/replica/choose-database.ts';
import { ageHeaders, sayAge } from '../../../kit/http/answers/age.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { checkRole, requireRole } from '../../../kit/http/auth/auth.ts';
import { readQuery } from '../../../kit/http/body/body.ts';
import { readToken, tokenParameter } from '../../../kit/http/consistency.ts';
import { allowedRoles, json, ownClientAlone, problemResponses } from '../../../kit/http/openapi.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { clientSeen } from '../../../kit/words/principal.ts';
import type { ScoreCache } from '../queries/read-score.ts';
import {
  expandTransaction,
  readTransaction,
  transactionDetailSchema,
  transactionExample,
  transactionParameters,
} from '../queries/read-transaction.ts';

export function transactionsRoutes(
  { databases, models }: Pick<Api, 'databases' | 'models'>,
  scores: ScoreCache,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/v1/transactions/:id', requireRole('analyst', 'ingest'), async (c) => {
    const client = clientSeen(c.get('principal'));
    const { expand } = readQuery(c, transactionParameters);
    if (expand?.has('explanation') === true) checkRole(c, ['analyst']);
    const id = c.req.param('id');
    const read = await readAged(databases, readToken(c), async (from) => {
      const found = await readTransaction(from, id, client);
      if (found === undefined || expand === undefined) return found;
      return await expandTransaction(from, { models, scores }, found, client, expand);
    });
    const transaction = sayAge(c, read);
    if (transaction === undefined) {
      throw new Problem('not-found', `No transaction has the id ${given(id)}.`);
    }
    return c.json(transaction);
  });

  return routes;
}

export const transactionsPaths: ZodOpenApiPathsObject = {
  '/v1/transactions/{id}': {
    get: {
      operationId: 'readTransaction',
      summary: 'One transaction and what became of it',
      ...ownClientAlone(),
      tags: ['transactions'],
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
          content: json(transactionDetailSchema, transactionExample),
        },
        ...problemResponses(404, 410, 422),
      },
    },
  },
};
