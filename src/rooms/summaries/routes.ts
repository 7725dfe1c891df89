/** `/v1/summaries`: sums by day. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { daysOf, summaryParameters } from '../../core/read/summary-parameters.ts';
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
import { allowedRoles, json, problemResponses } from '../../kit/http/openapi.ts';
import { InvalidFields } from '../../kit/words/field-error.ts';
import { dailySummaries } from '../search/examples/parties.ts';
import type { Reading } from '../search/queries/reading.ts';
import { dailySummariesSchema } from './daily-summaries.ts';

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
