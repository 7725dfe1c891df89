/** `/v1/status`: the state of the pipeline. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import { status } from '../examples.ts';
import { type StatusJson, statusSchema } from '../queries/pipeline-status.ts';

export function statusRoutes(readStatus: () => Promise<StatusJson>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.get('/v1/status', requireRole('operator', 'analyst', 'ingest'), async (c) =>
    c.json(await readStatus()),
  );
  return routes;
}

export const statusPaths: ZodOpenApiPathsObject = {
  '/v1/status': {
    get: {
      operationId: 'readStatus',
      summary: 'Lag, what is pending, retries, dead letters and totals',
      tags: ['operations'],
      security: allowedRoles('operator', 'analyst', 'ingest'),
      responses: {
        200: {
          description: 'The pipeline, per corridor and in total.',
          content: json(statusSchema, status),
        },
        ...problemResponses(),
      },
    },
  },
};
