/** `/livez`, `/readyz`, `/metrics`: for supervisors and scrapers. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { ROLES } from '../../domain/principal.ts';
import { type ReplicaStatus, replicaStatusSchema } from '../../query/replica-status.ts';
import type { Health } from '../../runtime/guards.ts';
import { answerHeaders } from '../answer-headers.ts';
import type { AppEnv } from '../app-env.ts';
import { type Authenticate, requireKey } from '../auth.ts';
import { allowedRoles, json, openResponses, problemResponses } from '../openapi.ts';

export type HealthDependencies = {
  /** State of each dependency by name. Readiness needs Postgres; Redis is only reported. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  readonly health: Pick<Health, 'level' | 'breakers'>;
  readonly replica: () => ReplicaStatus | null;
  /** Aborted by the first signal: the process takes no new work. */
  readonly draining: AbortSignal;
  readonly metrics: { readonly contentType: string; readonly metrics: () => Promise<string> };
  readonly authenticate: Authenticate;
};

const word = z.enum(['ok', 'unavailable']);
const readinessSchema = z
  .object({
    status: z.enum(['ready', 'unready', 'draining']),
    postgres: word,
    redis: word,
    replica: replicaStatusSchema,
    degradation: z.int().min(0).max(4),
    breakers: z.array(z.string()).meta({ description: 'Those not closed, as NAME:STATE.' }),
  })
  .meta({ id: 'Readiness' });

export function healthRoutes({
  readiness,
  health,
  replica,
  draining,
  metrics,
  authenticate,
}: HealthDependencies): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/livez', (c) => c.json({ status: 'alive' }));

  routes.get('/readyz', async (c) => {
    const works = await readiness();
    const isReady = works['postgres'] === true && !draining.aborted;
    const body: z.infer<typeof readinessSchema> = {
      status: draining.aborted ? 'draining' : isReady ? 'ready' : 'unready',
      postgres: works['postgres'] === true ? 'ok' : 'unavailable',
      redis: works['redis'] === true ? 'ok' : 'unavailable',
      replica: replica(),
      degradation: health.level(),
      breakers: health.breakers(),
    };
    if (!isReady) c.header('Retry-After', '1');
    return c.json(body, isReady ? 200 : 503);
  });

  const requireRecentKey = requireKey(authenticate, () => 'recent');
  routes.get('/metrics', requireRecentKey, async (c) =>
    c.body(await metrics.metrics(), 200, { 'Content-Type': metrics.contentType }),
  );

  return routes;
}

const ready: z.infer<typeof readinessSchema> = {
  ...{ status: 'ready', postgres: 'ok', redis: 'ok', replica: null },
  ...{ degradation: 0, breakers: [] },
};
const METRICS_EXAMPLE = 'risk_transactions_scored_total{corridor="US-EG",verdict="approve"} 1180\n';

const tags = ['health'];

export const healthPaths: ZodOpenApiPathsObject = {
  '/livez': {
    get: {
      operationId: 'livez',
      summary: 'Is the process alive',
      tags,
      security: [],
      responses: {
        200: {
          description: 'Alive.',
          content: json(z.object({ status: z.literal('alive') }), { status: 'alive' }),
        },
        ...openResponses(),
      },
    },
  },
  '/readyz': {
    get: {
      operationId: 'readyz',
      summary: 'Does a write to Postgres work; Redis is reported',
      tags,
      security: [],
      responses: {
        200: { description: 'Ready.', content: json(readinessSchema, ready) },
        ...openResponses(),
        503: {
          description: 'Not ready, or draining.',
          headers: answerHeaders('Retry-After'),
          content: json(readinessSchema, { ...ready, status: 'unready', postgres: 'unavailable' }),
        },
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics',
      summary: 'Metrics in the Prometheus text format',
      tags,
      security: allowedRoles(...ROLES),
      responses: {
        200: {
          description: 'Metrics.',
          content: { 'text/plain': { schema: z.string(), example: METRICS_EXAMPLE } },
        },
        ...problemResponses(),
      },
    },
  },
};
