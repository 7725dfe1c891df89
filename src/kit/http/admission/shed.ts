/**
 * Load shedding in front of the application: asks the admission for every request but live figures, and answers refused
 * requests with 503, and those beyond the limit of unknown keys with 429, without reading their body or routing them. A
 * request that is still uploading holds no slot.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Config } from '../../config/config.ts';
import type { Metrics } from '../../metrics/metrics.ts';
import { Problem } from '../answers/problem.ts';
import type { AwaitBody } from '../body/body.ts';
import { isLines } from '../body/line-reader.ts';
import { writeProblem } from '../serve.ts';
import {
  type Admission,
  createAdmission,
  type Refusal,
  type RequestKind,
  type Ticket,
  watchEventLoop,
} from './admission.ts';
import { pathOf } from './path-of.ts';

type GateDependencies = {
  readonly metrics: Pick<Metrics, 'requestsShed' | 'httpDuration'>;
  /** The refusal of a request whose key is unknown; it does not depend on the load. */
  readonly turnAway: (request: IncomingMessage) => Problem | undefined;
  /** False while Postgres cannot commit. */
  readonly takesSubmissions: () => boolean;
};

type Shedding = Pick<GateDependencies, 'metrics' | 'turnAway'> & {
  readonly admission: Admission;
  readonly arrivals: ReturnType<typeof createArrivals>;
  readonly requestsMax: number;
  /** Weight of the largest body: a larger declared length is refused later, and weighs no more than this. */
  readonly bodyBytesMax: number;
  readonly admittedRequests: WeakMap<IncomingMessage, AdmittedRequest>;
};

/** An admitted request. */
type AdmittedRequest = {
  readonly ticket: Ticket;
  /** When its body was complete. */
  startedMs: number;
};

/** Weight of a body of unknown length, or of a stream of lines. */
const STREAM_BYTES = 64 * 1024;
const SUBMIT_PATH = '/v1/transactions';
/** `/v1/live` has a bound of its own, and lasts. */
const FREE_PATH = /^\/v1\/live(?![^/?])/;
/** A body that takes longer than this gives way when there is no room. */
const SLOW_BODY_MS = 1000;
/** Bytes of bodies that are still arriving: room for a few of the largest. */
const ARRIVING_BYTES_MAX = 32 * 1024 * 1024;

const DETAILS: Readonly<Record<Refusal | 'arriving', string>> = {
  'in-flight': 'Too many requests are in flight.',
  bytes: 'Too many bytes of requests are in flight.',
  postgres: 'The database does not take writes.',
  arriving: 'Too many bodies are arriving, this one slowly.',
};

export type RequestGate = ReturnType<typeof openRequestGate>;

type ArrivalLimits = {
  readonly bodiesMax: number;
  /** Bytes received of incomplete bodies. */
  readonly bytesMax: number;
  /** A body younger than this never gives way. */
  readonly slowMs: number;
};

type Body = { bytes: number; readonly sinceMs: number; readonly giveWay: () => void };

export function openRequestGate(config: Config, dependencies: GateDependencies) {
  const { metrics, turnAway, takesSubmissions } = dependencies;
  const requestsMax = config.RISK_REQUESTS_IN_FLIGHT_MAX;
  const limits = { requestsMax, bytesMax: config.RISK_BODY_BYTES_IN_FLIGHT_MAX };
  const admission = createAdmission(limits, takesSubmissions);
  const watch = watchEventLoop(admission);
  const bodyBytesMax = config.RISK_BODY_BYTES_MAX;
  const arrivals = createArrivals(
    {
      bodiesMax: config.RISK_BODIES_ARRIVING_MAX,
      // A body of the largest size has room, whatever the settings are.
      bytesMax: Math.max(ARRIVING_BYTES_MAX, bodyBytesMax),
      slowMs: SLOW_BODY_MS,
    },
    () => performance.now(),
    () => lastAnswer('arriving', requestsMax),
  );
  const options = {
    admission,
    arrivals,
    requestsMax,
    bodyBytesMax,
    metrics,
    turnAway,
    admittedRequests: new WeakMap<IncomingMessage, AdmittedRequest>(),
  };
  return {
    wrap: (listener: RequestListener) => shedLoad(listener, options),
    /** For readers of bodies. */
    awaitBody: (incoming: IncomingMessage | undefined) => awaitBody(options, incoming),
    isSubmitting: admission.isSubmitting,
    inFlight: admission.inFlight,
    [Symbol.dispose]: watch[Symbol.dispose],
  };
}

function shedLoad(listener: RequestListener, options: Shedding): RequestListener {
  const { admission, admittedRequests, turnAway } = options;
  return async (request, response) => {
    const kind = kindOf(request);
    if (kind === null) return listener(request, response);
    const unwanted = turnAway(request);
    if (unwanted !== undefined) return refuse(options, request, response, 'unknown-key', unwanted);
    const ticket = admission.enter(kind, weigh(request, options.bodyBytesMax));
    const { refusal } = ticket;
    if (refusal !== null) {
      const problem = toProblem(refusal, options.requestsMax);
      return refuse(options, request, response, refusal, problem);
    }
    const admitted: AdmittedRequest = { ticket, startedMs: performance.now() };
    admittedRequests.set(request, admitted);
    try {
      // Resolves when the work is done and the answer is written, even if the client has gone.
      await listener(request, response);
    } finally {
      // An answer that waits for a score does not measure our load.
      const isPlain = request.headers['prefer'] === undefined;
      ticket.leave(isPlain ? performance.now() - admitted.startedMs : null);
    }
  };
}

function awaitBody(
  { arrivals, admittedRequests, requestsMax, metrics }: Shedding,
  incoming: IncomingMessage | undefined,
): ReturnType<AwaitBody> {
  const admitted = incoming === undefined ? undefined : admittedRequests.get(incoming);
  // A body that came whole may be packed, and then weighs many times what it declared.
  const isAsDeclared =
    incoming?.complete === true && incoming.headers['content-encoding'] === undefined;
  if (admitted === undefined || isAsDeclared) return undefined;
  const arrival = arrivals.begin();
  let isCounted = false;
  const refused = (refusal: keyof typeof DETAILS) => {
    // A body that gives way to itself is counted once.
    if (!isCounted) metrics.requestsShed.inc({ reason: refusal });
    isCounted = true;
    return refusal === 'arriving'
      ? lastAnswer(refusal, requestsMax)
      : toProblem(refusal, requestsMax);
  };
  if (arrival === undefined) throw refused('arriving');
  arrival.gaveWay.catch(() => refused('arriving'));
  admitted.ticket.lend();
  return {
    gaveWay: arrival.gaveWay,
    add: (bytes) => {
      if (!arrival.add(bytes)) throw refused('arriving');
    },
    complete: (bytes) => {
      admitted.startedMs = performance.now();
      const refusal = admitted.ticket.takeBack(bytes);
      if (refusal !== null) throw refused(refusal);
    },
    [Symbol.dispose]: arrival.end,
  };
}

function kindOf(request: IncomingMessage): RequestKind | null {
  const { url: target = '', method } = request;
  const path = pathOf(target);
  if (FREE_PATH.test(path)) return null;
  if (method !== 'POST' || !path.startsWith(SUBMIT_PATH)) return 'other';
  return isStream(request) ? 'stream' : 'submit';
}

function isStream({ headers }: IncomingMessage): boolean {
  const [type = ''] = headers['content-type']?.split(';', 1) ?? [];
  return isLines(type.trim().toLowerCase());
}

function weigh(request: IncomingMessage, bodyBytesMax: number): number {
  if (request.method === 'GET' || request.method === 'HEAD') return 0;
  const declared = Number(request.headers['content-length']);
  const isUnknown = isStream(request) || !Number.isFinite(declared);
  return isUnknown ? STREAM_BYTES : Math.min(declared, bodyBytesMax);
}

/** The answer to a refused request, for all reasons. */
function toProblem(
  refusal: keyof typeof DETAILS,
  requestsMax: number,
  more: Readonly<Record<string, string>> = {},
): Problem {
  const headers = {
    // Chance chooses one second or two, so that clients refused together do not return together.
    'Retry-After': Math.random() < 0.5 ? '1' : '2',
    ...more,
  };
  if (refusal === 'postgres') return new Problem('unavailable', DETAILS[refusal], { headers });
  return new Problem('overloaded', DETAILS[refusal], {
    headers: {
      ...headers,
      'RateLimit-Policy': `"in-flight";q=${requestsMax};qu="concurrent-requests"`,
      RateLimit: '"in-flight";r=0;t=1',
    },
  });
}

/** The rest of the body is not awaited. */
function lastAnswer(refusal: keyof typeof DETAILS, requestsMax: number): Problem {
  return toProblem(refusal, requestsMax, { Connection: 'close' });
}

function refuse(
  { metrics }: Shedding,
  request: IncomingMessage,
  response: ServerResponse,
  reason: Refusal | 'unknown-key',
  problem: Problem,
): void {
  metrics.requestsShed.inc({ reason });
  writeProblem(request, response, problem);
  const labels = {
    method: request.method ?? '',
    route: '(shed)',
    status: String(response.statusCode),
  };
  metrics.httpDuration.observe(labels, 0);
}

/**
 * Bounds request bodies that are still arriving, by count and by bytes received. They hold no slot of the
 * admission, so clients that send a byte at a time keep nobody out. When there is no room, the body that has
 * been arriving for the longest gives way, as a sender of usual speed is done soon.
 * @param nowMs monotonic clock
 */
export function createArrivals(
  { bodiesMax, bytesMax, slowMs }: ArrivalLimits,
  nowMs: () => number,
  toReason: () => Error,
) {
  /** Bodies in the order in which they began. */
  const bodies = new Set<Body>();
  let bytes = 0;
  const remove = (body: Body) => {
    if (bodies.delete(body)) bytes -= body.bytes;
  };
  /** Ends the oldest body; false when none is slow enough. */
  const makeRoom = (): boolean => {
    const [oldest] = bodies;
    if (oldest === undefined || nowMs() - oldest.sinceMs < slowMs) return false;
    remove(oldest);
    oldest.giveWay();
    return true;
  };
  return {
    /** Undefined when there is no room and no body gives way. */
    begin() {
      if (bodies.size >= bodiesMax && !makeRoom()) return undefined;
      const { promise: gaveWay, reject } = Promise.withResolvers<never>();
      gaveWay.catch(() => undefined);
      const body: Body = { bytes: 0, sinceMs: nowMs(), giveWay: () => reject(toReason()) };
      bodies.add(body);
      return {
        /** Rejects when this body has to give way; never resolves. */
        gaveWay,
        /** Counts bytes received; false when there is no room for them and no body gives way. */
        add(more: number) {
          while (bytes + more > bytesMax) if (!makeRoom()) return false;
          if (!bodies.has(body)) return false;
          body.bytes += more;
          bytes += more;
          return true;
        },
        end: () => remove(body),
      };
    },
  };
}
