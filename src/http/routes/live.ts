/** `/v1/live`: the figures of the console, once or as server-sent events. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { type LiveFigures, liveSchema, toPoint } from '../../query/live-figures.ts';
import type { Log } from '../../runtime/log.ts';
import { Problem } from '../answers/problem.ts';
import type { AppEnv } from '../app-env.ts';
import { type Authenticate, holdsOne, requireRole } from '../auth/auth.ts';
import { live } from '../examples/operations.ts';
import { createBroadcast } from '../live/broadcast.ts';
import { allowedRoles, json, problemResponses } from '../openapi.ts';

const EVERY_MS = 2000;
const LISTENERS_MAX = 64;
const EVENT_STREAM = 'text/event-stream';
/** Proxies would collect events otherwise. */
const HEADERS = { 'Content-Type': EVENT_STREAM, 'X-Accel-Buffering': 'no' };
const READERS = ['operator', 'analyst', 'ingest'] as const;

type LiveDependencies = {
  readonly readLive: () => Promise<LiveFigures>;
  readonly authenticate: Authenticate;
  /** Aborted when the process drains. */
  readonly signal: AbortSignal;
  readonly log: Log;
};

export function liveRoutes({
  readLive,
  authenticate,
  signal,
  log,
}: LiveDependencies): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const options = { everyMs: EVERY_MS, listenersMax: LISTENERS_MAX, signal, log };
  const broadcast = createBroadcast({ read: readLive, toPoint, ...options });

  routes.get('/v1/live', requireRole(...READERS), async (c) => {
    if (c.req.header('accept')?.includes(EVENT_STREAM) !== true) return c.json(await readLive());
    // A question for the headers alone would listen for ever: nobody reads its body.
    if (c.req.raw.method === 'HEAD') return c.body(null, 200, HEADERS);
    const credential = c.get('credential');
    const stream = broadcast.listen({
      isAllowed: async () => {
        const principal = await authenticate(credential, c.env?.incoming, 'recent');
        return principal !== undefined && holdsOne(principal, READERS);
      },
      cutOff: () => c.env?.outgoing?.destroy(),
    });
    if (stream === undefined) {
      const detail = `${LISTENERS_MAX} listeners are connected to this process already.`;
      throw new Problem('overloaded', detail, { headers: { 'Retry-After': '10' } });
    }
    return c.body(stream, 200, HEADERS);
  });

  return routes;
}

export const livePaths: ZodOpenApiPathsObject = {
  '/v1/live': {
    get: {
      operationId: 'readLive',
      summary: 'Status and signals, once or live',
      description: `With \`Accept: ${EVENT_STREAM}\` the answer goes on: an event \`history\` with the points of up to an hour in which somebody listened, then every ${EVERY_MS / 1000} seconds an event \`figures\`, or \`trouble\` where there are none. It ends with its key or session, and where nobody takes its events for a minute.`,
      tags: ['operations'],
      security: allowedRoles(...READERS),
      responses: {
        200: {
          description: 'Figures of the pipeline and of this API process.',
          content: {
            ...json(liveSchema, live),
            [EVENT_STREAM]: {
              schema: z.string(),
              example: `event: figures\ndata: ${JSON.stringify(live)}\n\n`,
            },
          },
        },
        ...problemResponses(),
      },
    },
  },
};
