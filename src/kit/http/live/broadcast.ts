/**
 * Server-sent events: one reader for all listeners of a process, which reads nothing while there are none. A listener that takes
 * nothing misses events, and is cut off after a while; a listener that is not allowed any more is left. All end when the process
 * drains.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../metrics/log.ts';

/** Points of an hour, from which plots are drawn. */
const POINTS_MAX = 360;

export type Broadcast = {
  /** A stream of events; undefined where there are as many listeners as there may be, in all or of this key. */
  readonly listen: (who: Who) => ReadableStream<Uint8Array<ArrayBuffer>> | undefined;
};

type Who = {
  readonly keyId: string;
  /** Asked before each event. */
  readonly isAllowed: () => Promise<boolean>;
  /** Ends the connection of a listener that takes nothing: it would not see the end of the stream. */
  readonly cutOff: () => void;
};

export type BroadcastOptions<Figures> = {
  readonly read: () => Promise<Figures>;
  /** The point of the plots that shows the figures. */
  readonly toPoint: (figures: Figures) => object;
  /** Time between figures while somebody listens. */
  readonly everyMs: number;
  /** Least time between two points. */
  readonly pointEveryMs: number;
  readonly listenersMax: number;
  /** Listeners of one key: a page that connects again and again leaves places to others. */
  readonly listenersOfKeyMax: number;
  /** Aborted when the process drains. */
  readonly signal: AbortSignal;
  readonly log: Pick<Log, 'warn'>;
};

/** Events that may wait for a listener. */
const WAITING_MAX = 4;
/** Events in a row that a listener may miss: a minute. */
const MISSED_MAX = 30;

type Listener = Who & {
  readonly controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  missed: number;
};

const encoder = new TextEncoder();
const event = (name: string, data: unknown) =>
  encoder.encode(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);

export function createBroadcast<Figures>(options: BroadcastOptions<Figures>): Broadcast {
  const { read, toPoint, everyMs, pointEveryMs, signal, log } = options;
  const listeners = new Set<Listener>();
  const history: object[] = [];
  let pointDueMs = 0;
  let isFailing = false;
  let isRunning = false;

  const leave = (listener: Listener) => {
    if (!listeners.delete(listener)) return;
    listener.controller.close();
    if (listener.missed > 0) listener.cutOff();
  };
  const send = async (listener: Listener, bytes: Uint8Array<ArrayBuffer>) => {
    if (!(await listener.isAllowed().catch(() => false))) leave(listener);
    if (!listeners.has(listener)) return;
    if ((listener.controller.desiredSize ?? 0) > 0) {
      listener.missed = 0;
      listener.controller.enqueue(bytes);
    } else if (++listener.missed > MISSED_MAX) leave(listener);
  };
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
      if (isPointDue) pointDueMs = performance.now() + pointEveryMs;
    }
  };
  /** Runs while somebody listens. */
  const run = async () => {
    if (isRunning) return;
    isRunning = true;
    while (listeners.size > 0) {
      const bytes = await measure();
      await Promise.all([...listeners].map((listener) => send(listener, bytes)));
      await delay(everyMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
    isRunning = false;
  };
  signal.addEventListener('abort', () => listeners.forEach(leave));

  return {
    listen: (who) => {
      const own = [...listeners].filter(({ keyId }) => keyId === who.keyId);
      const { listenersMax, listenersOfKeyMax } = options;
      const isFull = listeners.size >= listenersMax || own.length >= listenersOfKeyMax;
      if (isFull || signal.aborted) return undefined;
      let listener: Listener;
      return new ReadableStream(
        {
          start: (controller) => {
            listener = { ...who, controller, missed: 0 };
            listeners.add(listener);
            controller.enqueue(event('history', history));
            void run();
          },
          cancel: () => {
            listeners.delete(listener);
          },
        },
        { highWaterMark: WAITING_MAX },
      );
    },
  };
}
