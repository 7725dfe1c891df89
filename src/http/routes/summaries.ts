/** `/v1/summaries`: sums by day. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { given, oneOf } from '../../domain/describe-issue.ts';
import { InvalidFields } from '../../domain/field-error.ts';
import { dailySummariesSchema } from '../../query/daily-summaries.ts';
import type { Reading } from '../../query/reading.ts';
import { daysOf, summaryParameters } from '../../query/summary-parameters.ts';
import { ageHeaders, sayAge } from '../answers/age.ts';
import type { AppEnv } from '../app-env.ts';
import { requireRole } from '../auth/auth.ts';
import { readQuery } from '../body/body.ts';
import { dailySummaries } from '../examples/parties.ts';
import { allowedRoles, json, problemResponses } from '../openapi.ts';

/** @param corridors the names of those that a transaction may name now */
export function summariesRoutes(
  { summarizeDays, now }: Reading,
  corridors: () => ReadonlySet<string>,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/v1/summaries/daily', requireRole('analyst'), async (c) => {
    const parameters = readQuery(c, summaryParameters);
    const range = daysOf(parameters, now());
    if ('problem' in range) {
      throw new InvalidFields([{ pointer: '/from', detail: range.problem }]);
    }
    const summaries = await summarizeDays(range, parameters);
    if (summaries.answer.items.length === 0) requireCorridor(parameters.corridor, corridors());
    return c.json(sayAge(c, summaries));
  });

  return routes;
}

/** A corridor that has figures is known, also where it was added after the list was read. */
function requireCorridor(corridor: string | undefined, known: ReadonlySet<string>): void {
  if (corridor === undefined || known.has(corridor)) return;
  const detail = `must be ${oneOf([...known])}, not ${given(corridor)}`;
  throw new InvalidFields([{ pointer: '/corridor', detail }]);
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
      requestParams: { query: summaryParameters },
      responses: {
        200: {
          description: 'Oldest day first, then by group; groups without transactions are left out.',
          headers: ageHeaders,
          content: json(dailySummariesSchema, dailySummaries),
        },
        ...problemResponses(422),
      },
    },
  },
};
