/** `/v1/models/watch` and `/comparison`: drift of models, how right their verdicts were, and what a shadow would decide. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ageHeaders, sayAge } from '../../../kit/http/answers/age.ts';
import { answerHeaders } from '../../../kit/http/answers/answer-headers.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  notModified,
} from '../../../kit/http/answers/kept.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import { readQuery } from '../../../kit/http/body/body.ts';
import { readToken, tokenParameter } from '../../../kit/http/consistency.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import type { Reading } from '../../search/queries/reading.ts';
import { comparison, MODEL, watchReport } from '../examples.ts';
import { modelWatchParameters } from '../queries/model-watch.ts';
import { comparisonParameters, comparisonSchema } from '../queries/shadow-comparison.ts';
import { watchReportSchema } from '../watch-report.ts';

const ROLES = ['analyst', 'operator', 'risk_officer'] as const;

export function modelWatchRoutes({ readModelWatch, compareShadow }: Reading): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.get('/v1/models/watch', requireRole(...ROLES), async (c) => {
    const parameters = readQuery(c, modelWatchParameters);
    return c.json({ items: sayAge(c, await readModelWatch(parameters, readToken(c))) });
  });
  routes.get('/v1/models/:id/comparison', requireRole(...ROLES), async (c) => {
    const { days } = readQuery(c, comparisonParameters);
    const reference = c.req.param('id');
    return answerKept(c, await compareShadow({ reference, days }), ASK_AGAIN);
  });
  return routes;
}

/** No age: the answer says its time. */
const headers = answerHeaders('ETag', 'Cache-Control', 'Vary');
const named = z.object({
  id: z.string().meta({ description: 'SHA-256 or name@version.', example: MODEL }),
});

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
  '/v1/models/{id}/comparison': {
    get: {
      operationId: 'compareShadow',
      summary: 'What a shadow would have decided, beside what was decided',
      description: 'By a sample of its opinions. An answer is up to a minute old.',
      tags: ['models'],
      security: allowedRoles(...ROLES),
      requestParams: { path: named, query: comparisonParameters, header: conditionalHeader },
      responses: {
        200: {
          headers,
          description: 'Without rows where it was no shadow in this time.',
          content: json(comparisonSchema, comparison),
        },
        304: { ...notModified[304], headers },
        ...problemResponses(404, 422),
      },
    },
  },
};
