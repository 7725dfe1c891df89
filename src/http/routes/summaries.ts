/** `/v1/summaries`: sums by day. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { InvalidFields } from '../../domain/field-error.ts';
import { dailySummariesSchema } from '../../query/daily-summaries.ts';
import type { Reading } from '../../query/reading.ts';
import { daysOf, summaryParameters } from '../../query/summary-parameters.ts';
import { sayAge } from '../answers/age.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  keptHeaders,
  notModified,
} from '../answers/kept.ts';
import type { AppEnv } from '../app-env.ts';
import { requireRole } from '../auth/auth.ts';
import { readQuery } from '../body/body.ts';
import { readToken, tokenParameter } from '../consistency.ts';
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
    const summaries = await summarizeDays(range, parameters, readToken(c));
    if (summaries === undefined) throw new Error('there are summaries of any days');
    return answerKept(c, sayAge(c, summaries), ASK_AGAIN);
  });

  return routes;
}

export const summariesPaths: ZodOpenApiPathsObject = {
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
