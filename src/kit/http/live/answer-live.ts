/** Answers figures once or, with `Accept: text/event-stream`, live: one reader of the process serves all listeners. */
import type { Context } from 'hono';
import { z } from 'zod';
import type { Log } from '../../metrics/log.ts';
import { type Role, withReaders } from '../../words/principal.ts';
import { Problem } from '../answers/problem.ts';
import type { AppEnv } from '../app-env.ts';
import { type Authenticate, holdsOne } from '../auth/auth.ts';
import { json } from '../openapi.ts';
import { type BroadcastOptions, createBroadcast } from './broadcast.ts';

/** Least time between two points of the plots. */
const POINT_EVERY_MS = 10_000;
const LISTENERS_MAX = 64;
const LISTENERS_OF_KEY_MAX = 16;
const EVENT_STREAM = 'text/event-stream';
/** Proxies would collect events otherwise. */
const HEADERS = { 'Content-Type': EVENT_STREAM, 'X-Accel-Buffering': 'no' };

export type LiveDependencies = {
  readonly authenticate: Authenticate;
  /** Aborted when the process drains. */
  readonly signal: AbortSignal;
  readonly log: Log;
};

type LiveOptions<Figures> = LiveDependencies &
  Pick<BroadcastOptions<Figures>, 'read' | 'toPoint' | 'everyMs'> & {
    /** Roles that see the figures; a listener that loses the last of these is left. */
    readonly readers: readonly Role[];
    /** Why nobody may listen now: listeners are left, and figures are still answered once. */
    readonly refusal: () => Problem | undefined;
  };

export function createLive<Figures extends object>({
  authenticate,
  readers,
  refusal,
  ...options
}: LiveOptions<Figures>): (c: Context<AppEnv>) => Promise<Response> {
  const broadcast = createBroadcast({
    ...options,
    pointEveryMs: POINT_EVERY_MS,
    listenersMax: LISTENERS_MAX,
    listenersOfKeyMax: LISTENERS_OF_KEY_MAX,
  });
  return async (c) => {
    if (c.req.header('accept')?.includes(EVENT_STREAM) !== true) {
      return c.json(await options.read());
    }
    const refused = refusal();
    if (refused !== undefined) throw refused;
    // A question for the headers alone would listen for ever: nobody reads its body.
    if (c.req.raw.method === 'HEAD') return c.body(null, 200, HEADERS);
    const credential = c.get('credential');
    const stream = broadcast.listen({
      keyId: c.get('principal').keyId,
      isAllowed: async () => {
        const principal = await authenticate(credential, c.env?.incoming, 'recent');
        const isReader = principal !== undefined && holdsOne(principal, withReaders(readers));
        return isReader && refusal() === undefined;
      },
      cutOff: () => c.env?.outgoing?.destroy(),
    });
    if (stream === undefined) {
      const detail = `This process has ${LISTENERS_MAX} listeners already, or ${LISTENERS_OF_KEY_MAX} of this key.`;
      throw new Problem('overloaded', detail, { headers: { 'Retry-After': '10' } });
    }
    return c.body(stream, 200, HEADERS);
  };
}

/** For the document. */
export const describeLive = (everyMs: number) =>
  `With \`Accept: ${EVENT_STREAM}\` the answer goes on: an event \`history\` with up to an hour of points, one each ${POINT_EVERY_MS / 1000} seconds in which somebody listened, then every ${everyMs / 1000} seconds an event \`figures\`, or \`trouble\` where there are none. The answer ends with its key or session, when the flag \`live-figures\` is turned off, and when nobody takes its events for a minute.`;

/** Content of an answer that may go on, for the document. */
export function liveContent<Schema extends z.ZodType>(
  schema: Schema,
  example: NoInfer<z.input<Schema>>,
) {
  return {
    ...json(schema, example),
    [EVENT_STREAM]: {
      schema: z.string(),
      example: `event: figures\ndata: ${JSON.stringify(example)}\n\n`,
    },
  };
}
