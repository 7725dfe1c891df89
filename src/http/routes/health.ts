/** `/livez`, `/readyz`, `/metrics`: what a supervisor and a scraper ask. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { AppEnv } from '../app-env.ts';
import { type Authenticate, requireKey, requireRole } from '../auth.ts';
import { allowedRoles, problemResponses } from '../openapi.ts';

/** `false` names what does not work. Postgres counts; Redis is only reported. */
export type Readiness = {
  readonly postgres: boolean;
  readonly redis: boolean;
  /** True from the first signal on: no new work, please. */
  readonly draining: boolean;
};

export type HealthDependencies = {
  readonly readiness: () => Promise<Readiness>;
  readonly metrics: { readonly contentType: string; readonly metrics: () => Promise<string> };
  readonly authenticate: Authenticate;
};

const word = z.enum(['ok', 'unavailable']);
const readinessSchema = z
  .object({ status: z.enum(['ready', 'unready', 'draining']), postgres: word, redis: word })
  .meta({ id: 'Readiness' });

export function healthRoutes({
  readiness,
  metrics,
  authenticate,
}: HealthDependencies): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/livez', (c) => c.json({ status: 'alive' }));

  routes.get('/readyz', async (c) => {
    const { postgres, redis, draining } = await readiness();
    const isReady = postgres && !draining;
    const body: z.infer<typeof readinessSchema> = {
      status: draining ? 'draining' : isReady ? 'ready' : 'unready',
      postgres: postgres ? 'ok' : 'unavailable',
      redis: redis ? 'ok' : 'unavailable',
    };
    if (!isReady) c.header('Retry-After', '1');
    return c.json(body, isReady ? 200 : 503);
  });

  routes.get('/metrics', requireKey(authenticate), requireRole('operator'), async (c) =>
    c.body(await metrics.metrics(), 200, { 'Content-Type': metrics.contentType }),
  );

  return routes;
}

/** Shares one answer among all who ask within a second: probes must not become load. */
export function cacheReadiness(
  check: () => Promise<Readiness>,
  nowMs: () => number,
): () => Promise<Readiness> {
  let known: Promise<Readiness> | undefined;
  let knownUntilMs = 0;
  return () => {
    if (known === undefined || nowMs() >= knownUntilMs) {
      known = check();
      knownUntilMs = nowMs() + READINESS_CACHE_MS;
    }
    return known;
  };
}

const READINESS_CACHE_MS = 1000;

const tags = ['health'];
const json = <Schema extends z.ZodType>(schema: Schema) => ({ 'application/json': { schema } });

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
          content: json(z.object({ status: z.literal('alive') })),
        },
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
        200: { description: 'Ready.', content: json(readinessSchema) },
        503: { description: 'Not ready, or draining.', content: json(readinessSchema) },
      },
    },
  },
  '/metrics': {
    get: {
      operationId: 'metrics',
      summary: 'Metrics in the Prometheus text format',
      tags,
      security: allowedRoles('operator'),
      responses: {
        200: { description: 'Metrics.', content: { 'text/plain': { schema: z.string() } } },
        ...problemResponses(),
      },
    },
  },
};
