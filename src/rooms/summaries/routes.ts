/** `/v1/summaries`: sums by day. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Api } from '../../core/room.ts';
import { sayAge } from '../../kit/http/answers/age.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  keptHeaders,
  notModified,
} from '../../kit/http/answers/kept.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { requireRole } from '../../kit/http/auth/auth.ts';
import { readQuery } from '../../kit/http/body/body.ts';
import { readToken, tokenParameter } from '../../kit/http/consistency.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { allowedRoles, json, problemResponses } from '../../kit/http/openapi.ts';
import { createSummaryCache, readSummaries } from './cache.ts';
import { summaryParameters, withDays } from './parameters.ts';
import { type DailySummaries, dailySummariesSchema } from './queries.ts';

export function summariesRoutes(
  api: Pick<Api, 'databases' | 'ingest' | 'metrics' | 'afterLabels'>,
): Hono<AppEnv> {
  const { databases, ingest, metrics } = api;
  const { corridors } = ingest;
  const cache = createSummaryCache(databases, corridors, metrics);
  // Who has posted a label sees it at once in this process.
  api.afterLabels.add(cache.proveAnew);
  const routes = new Hono<AppEnv>();

  routes.get('/v1/summaries/daily', requireRole('analyst'), async (c) => {
    const question = withDays(readQuery(c, summaryParameters), databases.now());
    const found = await readSummaries(databases, cache, corridors, question, readToken(c));
    return answerKept(c, sayAge(c, found), ASK_AGAIN);
  });

  return routes;
}

const dailySummaries: DailySummaries = {
  counted_at: '2026-11-20T10:00:00.000Z',
  items: [
    {
      day: '2026-11-20',
      corridor: 'US-EG',
      transactions: 1204,
      amounts: { EUR: '90.00', USD: '60120.75' },
      scores: { approve: 1180, review: 19, decline: 5 },
      mean_score: 41.7,
      labels: { fraud: 4, legitimate: 21 },
      dead_letters: 2,
    },
  ],
};

const paths: ZodOpenApiPathsObject = {
  '/v1/summaries/daily': {
    get: {
      operationId: 'summarizeDays',
      summary: 'Transactions, amounts, scores, labels and rules that fired by UTC day',
      description:
        'Both days are included, at most 92; default the last seven. Each day is divided by `group_by`. Figures are those of the moment, late transactions and labels included: each counts on the day of its transaction.',
      tags: ['summaries'],
      security: allowedRoles('analyst'),
      requestParams: {
        query: summaryParameters,
        header: conditionalHeader.extend(tokenParameter.shape),
      },
      responses: {
        200: {
          description: 'Oldest day first, then by group; groups without transactions are left out.',
          headers: keptHeaders,
          content: json(dailySummariesSchema, dailySummaries),
        },
        ...notModified,
        ...problemResponses(422),
      },
    },
  },
};

export const document: DocumentPart = { paths, tags: { summaries: 'Sums by day.' } };
