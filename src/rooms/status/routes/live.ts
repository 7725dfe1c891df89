/** `/v1/live`: the figures of the console, once or as server-sent events. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import {
  createLive,
  describeLive,
  type LiveDependencies,
  liveContent,
} from '../../../kit/http/live/answer-live.ts';
import { allowedRoles, problemResponses } from '../../../kit/http/openapi.ts';
import { live } from '../examples.ts';
import { type LiveFigures, liveSchema, toPoint } from '../queries/live-figures.ts';

const TIMES = { everyMs: 2000, isAlwaysRead: true };
const READERS = ['operator', 'analyst', 'ingest'] as const;

export function liveRoutes({
  readLive,
  ...dependencies
}: LiveDependencies & { readonly readLive: () => Promise<LiveFigures> }): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const figures = { read: readLive, toPoint, readers: READERS };
  const answer = createLive({ ...dependencies, ...figures, ...TIMES });
  routes.get('/v1/live', requireRole(...READERS), answer);
  return routes;
}

export const livePaths: ZodOpenApiPathsObject = {
  '/v1/live': {
    get: {
      operationId: 'readLive',
      summary: 'Status and signals, once or live',
      description: describeLive(TIMES),
      tags: ['operations'],
      security: allowedRoles(...READERS),
      responses: {
        200: {
          description: 'Figures of the pipeline and of this API process.',
          content: liveContent(liveSchema, live),
        },
        ...problemResponses(),
      },
    },
  },
};
