/**
 * Answers figures once or, with `Accept: text/event-stream`, live as server-sent events. Listeners share each reading, and nothing
 * is read while nobody waits for an event. A listener that takes nothing misses events, and is cut off after a minute.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Log } from '../metrics/log.ts';
import { type Role, withReaders } from '../words/principal.ts';
import { Problem } from './answers/problem.ts';
import type { AppEnv } from './app-env.ts';
import { type Authenticate, holdsOne } from './auth/auth.ts';
import { json } from './openapi.ts';

const BOUNDS = {
  /** Least time between two points of the plots. */
  pointEveryMs: 10_000,
  listenersMax: 64,
  /** A page that connects again and again leaves places to other keys. */
  listenersOfKeyMax: 16,
  /** How long a listener may take no event. */
  untakenMsMax: 60_000,
};
/** Points of an hour, from which plots are drawn. */
const POINTS_MAX = 360;
const EVENT_STREAM = 'text/event-stream';
/** Proxies would collect events otherwise. */
const HEADERS = { 'Content-Type': EVENT_STREAM, 'X-Accel-Buffering': 'no' };

type BroadcastOptions<Figures> = {
  readonly read: () => Promise<Figures>;
  /** The point of the plots that shows the figures. */
  readonly toPoint: (figures: Figures) => object;
  /** Time between figures while somebody listens. */
  readonly everyMs: number;
  /** Aborted when the process drains. */
  readonly signal: AbortSignal;
  readonly log: Pick<Log, 'warn'>;
};

type Listener = {
  readonly keyId: string;
  /** Asked before each event. */
  readonly isAllowed: () => Promise<boolean>;
  /** Ends the connection of a listener that takes nothing: the listener would not see the end of the stream. */
  readonly cutOff: () => void;
};

const encoder = new TextEncoder();
const event = (name: string, data: unknown) =>
  encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);

/** @returns gives a listener its stream; undefined where there are as many listeners as there may be, in all or of this key */
export function createBroadcast<Figures>(
  { read, toPoint, everyMs, signal, log }: BroadcastOptions<Figures>,
  bounds = BOUNDS,
) {
  /** Each listener with what cuts it off unless it waits for an event. */
  const listeners = new Map<Listener, () => void>();
  const history: object[] = [];
  let [dueMs, pointDueMs, isFailing] = [0, 0, false];
  let coming: Promise<Uint8Array<ArrayBuffer>> | undefined;
  const measure = async () => {
    const isPointDue = performance.now() >= pointDueMs;
    try {
      const figures = await read();
      if (isPointDue) history.push(toPoint(figures));
      if (history.length > POINTS_MAX) history.shift();
      isFailing = false;
      return event('figures', figures);
    } catch (error) {
      // Logged once when it begins to fail: a store that is down for an hour fails it hundreds of times.
      if (!isFailing && !signal.aborted) {
        log.warn({ cause: String(error) }, 'live figures cannot be read');
      }
      isFailing = true;
      return event('trouble', { detail: 'The figures cannot be read.' });
    } finally {
      dueMs = performance.now() + everyMs;
      if (isPointDue) pointDueMs = performance.now() + bounds.pointEveryMs;
      coming = undefined;
    }
  };
  const next = () => {
    const waitMs = Math.max(0, dueMs - performance.now());
    coming ??= delay(waitMs, undefined, { signal, ref: false }).then(measure);
    return coming;
  };
  signal.addEventListener('abort', () => {
    for (const cutOff of listeners.values()) cutOff();
  });
  return (listener: Listener): ReadableStream<Uint8Array<ArrayBuffer>> | undefined => {
    const own = [...listeners.keys()].filter(({ keyId }) => keyId === listener.keyId);
    const isFull = listeners.size >= bounds.listenersMax || own.length >= bounds.listenersOfKeyMax;
    if (isFull || signal.aborted) return undefined;
    let isWaiting = false;
    const cutOff = () => {
      if (!isWaiting) listener.cutOff();
      leave();
    };
    const untaken = setTimeout(cutOff, bounds.untakenMsMax).unref();
    const leave = () => {
      clearTimeout(untaken);
      listeners.delete(listener);
    };
    listeners.set(listener, cutOff);
    // An event is asked for only once the connection has taken the event before.
    const events = async function* () {
      try {
        yield event('history', history);
        while (listeners.has(listener)) {
          untaken.refresh();
          isWaiting = true;
          const bytes = await next().catch(() => undefined);
          if (bytes === undefined || !(await listener.isAllowed().catch(() => false))) return;
          isWaiting = false;
          yield bytes;
        }
      } finally {
        leave();
      }
    };
    return ReadableStream.from(events());
  };
}

type LiveOptions<Figures> = BroadcastOptions<Figures> & {
  readonly authenticate: Authenticate;
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
  const listen = createBroadcast(options);
  return async (c) => {
    if (c.req.header('accept')?.includes(EVENT_STREAM) !== true) {
      return c.json(await options.read());
    }
    const refused = refusal();
    if (refused !== undefined) throw refused;
    // A question for the headers alone would listen for ever: nobody reads its body.
    if (c.req.raw.method === 'HEAD') return c.body(null, 200, HEADERS);
    const credential = c.get('credential');
    const stream = listen({
      keyId: c.get('principal').keyId,
      isAllowed: async () => {
        const principal = await authenticate(credential, c.env?.incoming, 'recent');
        const isReader = principal !== undefined && holdsOne(principal, withReaders(readers));
        return isReader && refusal() === undefined;
      },
      cutOff: () => c.env?.outgoing?.destroy(),
    });
    if (stream === undefined) {
      const { listenersMax, listenersOfKeyMax } = BOUNDS;
      const detail = `This process has ${listenersMax} listeners already, or ${listenersOfKeyMax} of this key.`;
      throw new Problem('overloaded', detail, { headers: { 'Retry-After': '10' } });
    }
    return c.body(stream, 200, HEADERS);
  };
}

/** For the document. */
export const describeLive = (everyMs: number) =>
  `With \`Accept: ${EVENT_STREAM}\` the answer goes on: an event \`history\` with up to an hour of points, one each ${BOUNDS.pointEveryMs / 1000} seconds in which somebody listened, then every ${everyMs / 1000} seconds an event \`figures\`, or \`trouble\` where there are none. The answer ends with its key or session, when the flag \`live-figures\` is turned off, and when nobody takes its events for a minute.`;

/** Content of an answer that may go on, for the document. */
export const liveContent = (schema: z.ZodType) => ({
  ...json(schema),
  [EVENT_STREAM]: { schema: z.string(), example: 'event: figures\ndata: {…}\n\n' },
});
