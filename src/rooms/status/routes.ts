/** `/v1/status`: where the pipeline stands, and `/v1/live`: the figures of the console, once or as server-sent events. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Api, ApiRoom } from '../../core/room.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { requireRole } from '../../kit/http/auth/auth.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { createLive, describeLive, liveContent } from '../../kit/http/live/answer-live.ts';
import { allowedRoles, json, problemResponses } from '../../kit/http/openapi.ts';
import { createReadLive, liveExample, liveSchema, toPoint } from './queries/live-figures.ts';
import { createReadStatus, statusExample, statusSchema } from './queries/pipeline-status.ts';

const READERS = ['operator', 'analyst', 'ingest'] as const;
const TIMES = { everyMs: 2000, isAlwaysRead: true };

export function openStatus(api: Api): ApiRoom {
  const { config, databases, redis, guards, ingest, metrics, authenticate, draining, log } = api;
  const readStatus = createReadStatus(databases, {
    redis,
    guards,
    corridors: ingest.corridors,
    market: config.RISK_MARKET,
    shards: config.RISK_SHARDS,
    readReplica: () => databases.replica?.status() ?? null,
  });
  const poolInUse = () => {
    const { total, idle } = databases.primary.usage();
    return (total - idle) / config.RISK_DATABASE_CONNECTIONS_MAX;
  };
  const nowMs = () => performance.now();
  const read = createReadLive({ readStatus, metrics, poolInUse, nowMs });
  const routes = new Hono<AppEnv>();
  routes.get('/v1/status', requireRole(...READERS), async (c) => c.json(await readStatus()));
  routes.get(
    '/v1/live',
    requireRole(...READERS),
    createLive({ read, toPoint, readers: READERS, authenticate, signal: draining, log, ...TIMES }),
  );
  return { routes: [routes] };
}

const tags = ['operations'];
const security = allowedRoles(...READERS);

const paths: ZodOpenApiPathsObject = {
  '/v1/status': {
    get: {
      operationId: 'readStatus',
      summary: 'Lag, what is pending, retries, dead letters and totals',
      tags,
      security,
      responses: {
        200: {
          description: 'The pipeline, per corridor and in total.',
          content: json(statusSchema, statusExample),
        },
        ...problemResponses(),
      },
    },
  },
  '/v1/live': {
    get: {
      operationId: 'readLive',
      summary: 'Status and signals, once or live',
      description: describeLive(TIMES),
      tags,
      security,
      responses: {
        200: {
          description: 'Figures of the pipeline and of this API process.',
          content: liveContent(liveSchema, liveExample),
        },
        ...problemResponses(),
      },
    },
  },
};

export const document: DocumentPart = {
  paths,
  tags: { operations: 'Where the pipeline stands.' },
};
