/** `/v1/summaries`: sums by day. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { InvalidFields } from '../../domain/field-error.ts';
import { dailySummariesSchema, daysOf, summaryParameters } from '../../query/daily-summaries.ts';
import type { Reading } from '../../query/reading.ts';
import { ageHeaders, sayAge } from '../answers/age.ts';
import type { AppEnv } from '../app-env.ts';
import { requireRole } from '../auth/auth.ts';
import { readQuery } from '../body/body.ts';
import { dailySummaries } from '../examples/parties.ts';
import { allowedRoles, json, problemResponses } from '../openapi.ts';

export function summariesRoutes({ summarizeDays, now }: Reading): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/v1/summaries/daily', requireRole('analyst'), async (c) => {
    const parameters = readQuery(c, summaryParameters);
    const range = daysOf(parameters, now());
    if ('problem' in range) {
      throw new InvalidFields([{ pointer: '/from', detail: range.problem }]);
    }
    return c.json(sayAge(c, await summarizeDays(range, parameters.corridor)));
  });

  return routes;
}

export const summariesPaths: ZodOpenApiPathsObject = {
  '/v1/summaries/daily': {
    get: {
      operationId: 'summarizeDays',
      summary: 'Transactions, amounts and scores by UTC day and corridor',
      description:
        'Both days are included, at most 92; default the last seven. Figures are those of the moment.',
      tags: ['summaries'],
      security: allowedRoles('analyst'),
      requestParams: { query: summaryParameters },
      responses: {
        200: {
          description: 'Oldest day first; days without transactions are left out.',
          headers: ageHeaders,
          content: json(dailySummariesSchema, dailySummaries),
        },
        ...problemResponses(422),
      },
    },
  },
};
