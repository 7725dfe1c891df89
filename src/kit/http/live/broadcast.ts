/**
 * Server-sent events: one reader for all listeners of a process. While there are none it reads for points of the last hour
 * alone, or nothing. A listener that takes nothing misses events, and is cut off after a while; one that is not allowed any more
 * is left. All end when the process drains.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { Log } from '../../metrics/log.ts';
import { POINTS_MAX, type Point, type StoredPoints } from './points.ts';

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
  readonly toPoint: (figures: Figures) => Point;
  /** Keeps points beyond the end of the process. */
  readonly points: StoredPoints;
  /** Time between figures while somebody listens. */
  readonly everyMs: number;
  /** Least time between two points. */
  readonly pointEveryMs: number;
  /** Points are kept from the start on, even while nobody listens. */
  readonly isAlwaysRead: boolean;
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
  const { read, toPoint, points, everyMs, pointEveryMs, isAlwaysRead, signal, log } = options;
  const listeners = new Set<Listener>();
  const history: Point[] = [];
  let pointDueMs = performance.now();
  let isFailing = false;
  let isLoaded = false;
  /** Aborted when the first listener joins, or the process drains. */
  let rest = new AbortController();

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
  const add = (point: Point) => {
    history.push(point);
    if (history.length > POINTS_MAX) history.shift();
    // A point that is not stored is missing only after a restart.
    points.save(point).catch(() => undefined);
  };
  const measure = async () => {
    const isPointDue = performance.now() >= pointDueMs;
    try {
      const figures = await read();
      if (isPointDue) add(toPoint(figures));
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
  const isDue = () => listeners.size > 0 || (isAlwaysRead && performance.now() >= pointDueMs);
  const restMs = () => {
    if (listeners.size > 0) return everyMs;
    return isAlwaysRead ? pointDueMs - performance.now() : pointEveryMs;
  };
  const run = async () => {
    history.push(...(await points.load().catch(() => [])));
    isLoaded = true;
    for (const { controller } of listeners) controller.enqueue(event('history', history));
    while (!signal.aborted) {
      rest = new AbortController();
      if (isDue()) {
        const bytes = await measure();
        await Promise.all([...listeners].map((listener) => send(listener, bytes)));
      }
      await delay(restMs(), undefined, { signal: rest.signal, ref: false }).catch(() => undefined);
    }
  };
  signal.addEventListener('abort', () => {
    listeners.forEach(leave);
    rest.abort();
  });
  void run();

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
            // A listener that is earlier than the stored points gets its history with them.
            if (isLoaded) controller.enqueue(event('history', history));
            if (listeners.size === 1) rest.abort();
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
