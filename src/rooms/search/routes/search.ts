/** `GET /v1/transactions` and `GET /v1/scores`: the lists that analysts search. */
import { type Context, Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  foundTransaction,
  score,
  storedTransaction,
  TRANSACTION_ID,
} from '../../../core/accept/examples.ts';
import { foundTransactionSchema } from '../../../core/domain/transaction-record.ts';
import type { Api } from '../../../core/room.ts';
import { requireCorridor } from '../../../core/store/search/require-known.ts';
import { type Databases, readAged } from '../../../kit/database/replica/choose-database.ts';
import { ageHeaders, sayAge } from '../../../kit/http/answers/age.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import { readQuery } from '../../../kit/http/body/body.ts';
import { readToken, tokenParameter } from '../../../kit/http/consistency.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import { scoreSearchParameters, transactionSearchParameters } from '../queries/parameters.ts';
import { searchScores, searchTransactions } from '../queries/search.ts';
import { digestQuestion, encodeSearchCursor } from '../queries/search-cursor.ts';
import { foundScoreSchema, searchPageSchema } from '../queries/search-json.ts';

type Page = { readonly items: readonly unknown[] };

export function searchRoutes({ databases, ingest }: Pick<Api, 'databases' | 'ingest'>) {
  const routes = new Hono<AppEnv>();

  /** A corridor that has rows is known, also where it was added after the list was read. */
  const answer = async (
    c: Context<AppEnv>,
    corridor: string | undefined,
    search: (databases: Databases) => Promise<Page>,
  ) => {
    const page = await readAged(databases, readToken(c), search);
    if (page.answer.items.length === 0) requireCorridor(ingest.corridors(), corridor);
    return c.json(sayAge(c, page));
  };

  routes.get('/v1/transactions', requireRole('analyst'), async (c) => {
    const asked = readQuery(c, transactionSearchParameters);
    return await answer(c, asked.corridor, (from) => searchTransactions(from, asked));
  });

  routes.get('/v1/scores', requireRole('analyst'), async (c) => {
    const asked = readQuery(c, scoreSearchParameters);
    return await answer(c, asked.corridor, (from) => searchScores(from, asked));
  });

  return routes;
}

const DESCRIPTION =
  'Filters combine: each narrows the list. A request looks at a bounded number of rows: where these did not suffice, the page says `complete: false` and how far it looked, and `next_cursor` goes on from there, also where the page is short or empty. Rows that arrive meanwhile appear at their place, if it is still to come. Where no index has the order, as of amounts, an incomplete page ranks only the rows up to `searched_to`, and the next ones continue with older ones.';

const { created_at, received_at } = storedTransaction;

const transactionsExample = {
  items: [foundTransaction],
  next_cursor: encodeSearchCursor({
    digest: digestQuestion({}),
    position: {
      pass: 0,
      after: { id: TRANSACTION_ID, atMs: Date.parse(created_at), value: null },
      window: null,
    },
  }),
  complete: true,
  searched_to: created_at,
  total: { count: 3, more: false },
};

const foundScore = {
  ...score,
  merchant_id: 'm_9',
  amount: '125.50',
  currency: 'USD',
  country: 'US',
  device_id: 'device-4f2a',
  channel: 'web',
  received_at,
};

export const transactionListPaths: ZodOpenApiPathsObject = {
  '/v1/transactions': {
    get: {
      operationId: 'listTransactions',
      summary: 'Search transactions',
      description: DESCRIPTION,
      tags: ['transactions'],
      security: allowedRoles('analyst'),
      requestParams: { query: transactionSearchParameters, header: tokenParameter },
      responses: {
        200: {
          description: 'One page.',
          headers: ageHeaders,
          content: json(searchPageSchema(foundTransactionSchema), transactionsExample),
        },
        ...problemResponses(422),
      },
    },
  },
};

export const scoreListPaths: ZodOpenApiPathsObject = {
  '/v1/scores': {
    get: {
      operationId: 'listScores',
      summary: 'Search scores',
      description: DESCRIPTION,
      tags: ['scores'],
      security: allowedRoles('analyst'),
      requestParams: { query: scoreSearchParameters, header: tokenParameter },
      responses: {
        200: {
          description: 'One page.',
          headers: ageHeaders,
          content: json(searchPageSchema(foundScoreSchema), {
            items: [foundScore],
            next_cursor: null,
            complete: true,
            searched_to: null,
          }),
        },
        ...problemResponses(422),
      },
    },
  },
};
