/** `/v1/live`: the figures of the console, once or as server-sent events. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { type LiveFigures, liveSchema, toPoint } from '../../query/live-figures.ts';
import type { AppEnv } from '../app-env.ts';
import { requireRole } from '../auth/auth.ts';
import { live } from '../examples/operations.ts';
import {
  createLive,
  describeLive,
  type LiveDependencies,
  liveContent,
} from '../live/answer-live.ts';
import { allowedRoles, problemResponses } from '../openapi.ts';

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
