/** `/livez`, `/readyz`, `/metrics`: for supervisors and scrapers, of the API and of workers. */
import type { IncomingMessage } from 'node:http';
import { Hono, type MiddlewareHandler } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Health } from '../../kit/breakers/guards.ts';
import { answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { type Authenticate, requireKey } from '../../kit/http/auth/auth.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { allowedRoles, json, openResponses, problemResponses } from '../../kit/http/openapi.ts';
import { ROLES } from '../../kit/words/principal.ts';
import { type ReplicaStatus, replicaStatusSchema } from '../../kit/words/replica-status.ts';
import type { Credential } from '../../kit/words/session.ts';

export type HealthDependencies = {
  /** False when the process should be restarted. */
  readonly isAlive: () => boolean;
  /** Markets by name, the one that answers by default first; a market that is not open has none. */
  readonly vitals: ReadonlyMap<string, () => Vitals | undefined>;
  /** Aborted by the first signal: the process takes no new work. */
  readonly draining: AbortSignal;
  readonly metrics: {
    readonly contentType: string;
    readonly metrics: (asked: AskedMetrics | undefined) => Promise<string>;
  };
  /** Absent where `/metrics` needs no key. */
  readonly authenticate?: Authenticate;
};

/** A request for metrics; undefined where `/metrics` needs no key. */
export type AskedMetrics = {
  readonly credential: Credential;
  readonly incoming: IncomingMessage | undefined;
};

/** The dependencies that a market needs, and the state of each. */
export type Vitals = {
  /** State of each dependency by name. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  /** Dependencies without which the market is not ready; the others are only reported. */
  readonly needs: readonly ('postgres' | 'redis')[];
  readonly health: Pick<Health, 'level' | 'breakers'>;
  readonly replica: () => ReplicaStatus | null;
  readonly refused: () => Refused;
  /** Whether a replica answers reads while Postgres is away: the market is ready for them. */
  readonly isStoodIn?: () => boolean;
};

/** Rights that each store refuses to its user, in words. */
export type Refused = Readonly<Record<'postgres' | 'redis', readonly string[]>>;

const word = z.enum(['ok', 'refused', 'unavailable']);
const marketSchema = z.object({
  status: z.enum(['ready', 'unready', 'draining']),
  postgres: word,
  redis: word,
  replica: replicaStatusSchema,
  degradation: z.int().min(0).max(4),
  breakers: z.array(z.string()).meta({ description: 'Those not closed, as NAME:STATE.' }),
  refused: z.optional(z.array(z.string()).meta({ description: 'Rights that a store refuses.' })),
});
type MarketReadiness = z.infer<typeof marketSchema>;
const readinessSchema = marketSchema
  .extend({
    markets: z.record(z.string(), marketSchema).optional().meta({
      description:
        'Each market, where the API serves several: it is ready while one of them is, and the other fields are those of its first.',
    }),
  })
  .meta({ id: 'Readiness' });

export function healthRoutes(dependencies: HealthDependencies): Hono<AppEnv> {
  const { isAlive, vitals, draining, metrics, authenticate } = dependencies;
  const routes = new Hono<AppEnv>();

  routes.get('/livez', (c) =>
    isAlive() ? c.json({ status: 'alive' }) : c.json({ status: 'no poll for too long' }, 503),
  );

  routes.get('/readyz', async (c) => {
    const read = await Promise.all([...vitals.values()].map((vital) => readVitals(vital())));
    const markets = read.map((market) => (draining.aborted ? { ...market, ...DRAINING } : market));
    const [first = NOT_OPEN] = markets;
    const isReady = markets.some(({ status }) => status === 'ready');
    const body: z.infer<typeof readinessSchema> = {
      ...first,
      status: isReady ? 'ready' : first.status,
      ...(markets.length > 1 ? { markets: byName(vitals.keys(), markets) } : {}),
    };
    if (!isReady) c.header('Retry-After', '1');
    return c.json(body, isReady ? 200 : 503);
  });

  const letIn: MiddlewareHandler<AppEnv> =
    authenticate === undefined ? (_c, next) => next() : requireKey(authenticate, () => 'recent');
  routes.get('/metrics', letIn, async (c) => {
    const asked = { credential: c.get('credential'), incoming: c.env?.incoming };
    const text = await metrics.metrics(authenticate && asked);
    return c.body(text, 200, { 'Content-Type': metrics.contentType });
  });

  return routes;
}

const DRAINING: Pick<MarketReadiness, 'status'> = { status: 'draining' };
const NOT_OPEN: MarketReadiness = {
  status: 'unready',
  postgres: 'unavailable',
  redis: 'unavailable',
  replica: null,
  degradation: 0,
  breakers: [],
};

async function readVitals(vitals: Vitals | undefined): Promise<MarketReadiness> {
  if (vitals === undefined) return NOT_OPEN;
  const { readiness, needs, health, replica, isStoodIn } = vitals;
  const works = await readiness();
  const refused = vitals.refused();
  const said = Object.values(refused).flat();
  const stateOf = (name: keyof Refused) => (refused[name].length > 0 ? 'refused' : 'ok');
  // Nothing is scored without a command of Redis; a right in Postgres may be of one room alone.
  const isReady = (name: keyof Refused) =>
    works[name] === true && (name === 'postgres' || stateOf(name) === 'ok');
  return {
    status: needs.every(isReady) || isStoodIn?.() ? 'ready' : 'unready',
    postgres: works['postgres'] === true ? stateOf('postgres') : 'unavailable',
    redis: works['redis'] === true ? stateOf('redis') : 'unavailable',
    replica: replica(),
    degradation: health.level(),
    breakers: health.breakers(),
    ...(said.length > 0 && { refused: said }),
  };
}

function byName<T>(names: Iterable<string>, values: readonly T[]): Record<string, T> {
  return Object.fromEntries(Array.from(names, (name, at) => [name, values[at] as T]));
}

const ready: MarketReadiness = { ...NOT_OPEN, status: 'ready', postgres: 'ok', redis: 'ok' };
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
      summary:
        'Does a write to Postgres work, or does a replica answer reads meanwhile; Redis is reported',
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
      description:
        'Of the process, and of each market that knows the key; where the API serves several, with the label `market`.',
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
