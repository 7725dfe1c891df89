/** `/livez`, `/readyz`, `/metrics`: for supervisors and scrapers, of the API and of workers. */
import { Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Health } from '../breakers/guards.ts';
import { ROLES } from '../words/principal.ts';
import { type ReplicaStatus, replicaStatusSchema } from '../words/replica-status.ts';
import { answerHeaders } from './answers/answer-headers.ts';
import type { AppEnv } from './app-env.ts';
import { type Authenticate, requireKey } from './auth/auth.ts';
import type { DocumentPart } from './document.ts';
import { allowedRoles, json, openResponses, problemResponses } from './openapi.ts';

export type HealthDependencies = {
  /** False when the process should be restarted. */
  readonly isAlive: () => boolean;
  /** State of each dependency by name. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  /** Dependencies without which the process is not ready; the others are only reported. */
  readonly needs: readonly ('postgres' | 'redis')[];
  readonly health: Pick<Health, 'level' | 'breakers'>;
  readonly replica: () => ReplicaStatus | null;
  /** Aborted by the first signal: the process takes no new work. */
  readonly draining: AbortSignal;
  readonly metrics: { readonly contentType: string; readonly metrics: () => Promise<string> };
  /** Absent where `/metrics` needs no key. */
  readonly authenticate?: Authenticate;
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

export function healthRoutes(dependencies: HealthDependencies): Hono<AppEnv> {
  const { isAlive, readiness, needs, health, replica, draining, metrics } = dependencies;
  const { authenticate } = dependencies;
  const routes = new Hono<AppEnv>();

  routes.get('/livez', (c) =>
    isAlive() ? c.json({ status: 'alive' }) : c.json({ status: 'no poll for too long' }, 503),
  );

  routes.get('/readyz', async (c) => {
    const works = await readiness();
    const isReady = needs.every((name) => works[name] === true) && !draining.aborted;
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

  const letIn: MiddlewareHandler<AppEnv> =
    authenticate === undefined ? (_c, next) => next() : requireKey(authenticate, () => 'recent');
  routes.get('/metrics', letIn, async (c) =>
    c.body(await metrics.metrics(), 200, { 'Content-Type': metrics.contentType }),
  );

  return routes;
}

const ready: z.infer<typeof readinessSchema> = {
  status: 'ready',
  postgres: 'ok',
  redis: 'ok',
  replica: null,
  degradation: 0,
  breakers: [],
};
const METRICS_EXAMPLE = 'risk_transactions_scored_total{corridor="US-EG",verdict="approve"} 1180\n';

const tags = ['health'];

const paths: ZodOpenApiPathsObject = {
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

export const document: DocumentPart = {
  paths,
  tags: { health: 'What supervisors and scrapers ask.' },
};
