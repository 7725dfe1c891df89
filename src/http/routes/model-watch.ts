/** `/v1/models/watch`: drift of models, and how right their verdicts were. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { watchReportSchema } from '../../domain/watch-report.ts';
import { modelWatchParameters } from '../../query/model-watch.ts';
import type { Reading } from '../../query/reading.ts';
import { ageHeaders, sayAge } from '../answers/age.ts';
import type { AppEnv } from '../app-env.ts';
import { requireRole } from '../auth/auth.ts';
import { readQuery } from '../body/body.ts';
import { readToken, tokenParameter } from '../consistency.ts';
import { watchReport } from '../examples/models.ts';
import { allowedRoles, json, problemResponses } from '../openapi.ts';

const ROLES = ['analyst', 'operator', 'risk_officer'] as const;

export function modelWatchRoutes({ readModelWatch }: Reading): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.get('/v1/models/watch', requireRole(...ROLES), async (c) => {
    const parameters = readQuery(c, modelWatchParameters);
    return c.json({ items: sayAge(c, await readModelWatch(parameters, readToken(c))) });
  });
  return routes;
}

export const modelWatchPaths: ZodOpenApiPathsObject = {
  '/v1/models/watch': {
    get: {
      operationId: 'readModelWatch',
      summary: 'Drift of each model that decides, and what became of its verdicts',
      description:
        'One worker looks every `RISK_WATCH_EVERY_SECONDS` at samples: scores of the last day against the training, verdicts of 7 to 14 days ago against their labels. Every figure has the number of rows it is from.',
      tags: ['models'],
      security: allowedRoles(...ROLES),
      requestParams: { query: modelWatchParameters, header: tokenParameter },
      responses: {
        200: {
          headers: ageHeaders,
          description: 'A report a model, and one of the rules where they decided alone.',
          content: json(z.object({ items: z.array(watchReportSchema) }), { items: [watchReport] }),
        },
        ...problemResponses(422),
      },
    },
  },
};
