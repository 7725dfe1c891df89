/**
 * Stands before the application: asks the admission for each request below /v1 and answers those that are
 * refused with a prepared 503, without reading their body or routing them. Health is never refused.
 */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Config } from '../runtime/config.ts';
import type { Metrics } from '../runtime/metrics.ts';
import {
  type Admission,
  createAdmission,
  type Refusal,
  type RequestKind,
  watchEventLoop,
} from './admission.ts';
import { REQUEST_ID, SECURITY_HEADERS, STRICT_POLICY } from './edge.ts';
import { PROBLEM_CONTENT_TYPE, Problem, problemJson } from './problem.ts';

type ShedOptions = {
  readonly admission: Admission;
  readonly requestsMax: number;
  /** Largest body there is: what claims more is refused later, and weighs no more than this. */
  readonly bodyBytesMax: number;
  readonly metrics: Pick<Metrics, 'requestsShed' | 'httpDuration'>;
};

/** What a body of unknown length, or a stream of lines, is taken to hold at a time. */
const STREAM_BYTES = 64 * 1024;
const SUBMIT_PATH = '/v1/transactions';
const LINES = 'application/x-ndjson';

const DETAILS: Readonly<Record<Refusal, string>> = {
  'in-flight': 'Too many requests are in flight.',
  bytes: 'Too many bytes of requests are in flight.',
  postgres: 'The database does not take writes.',
};

export type Front = Disposable & {
  readonly wrap: (listener: RequestListener) => RequestListener;
};

/** @param takesSubmissions false while nothing can be committed */
export function openFront(
  config: Config,
  metrics: ShedOptions['metrics'],
  takesSubmissions: () => boolean,
): Front {
  const requestsMax = config.RISK_REQUESTS_IN_FLIGHT_MAX;
  const limits = {
    requestsMax,
    bytesMax: config.RISK_BODY_BYTES_IN_FLIGHT_MAX,
    eventLoopDelayMsMax: config.RISK_EVENT_LOOP_DELAY_MS_MAX,
  };
  const admission = createAdmission(limits, takesSubmissions);
  const watch = watchEventLoop(admission);
  const options = { admission, requestsMax, bodyBytesMax: config.RISK_BODY_BYTES_MAX, metrics };
  return {
    wrap: (listener) => shedLoad(listener, options),
    [Symbol.dispose]: watch[Symbol.dispose],
  };
}

function shedLoad(listener: RequestListener, options: ShedOptions): RequestListener {
  const { admission } = options;
  return async (request, response) => {
    const kind = kindOf(request);
    if (kind === null) {
      listener(request, response);
      return;
    }
    const ticket = admission.enter(kind, weigh(request, options.bodyBytesMax));
    if (ticket.refusal !== null) {
      refuse(options, request, response, ticket.refusal);
      return;
    }
    const startedMs = performance.now();
    try {
      // Resolves when the work is done and the answer is written, whether or not its client still waits.
      await listener(request, response);
    } finally {
      // What is slow by nature says nothing: streams, and answers that wait for a score.
      const isPlain = request.headers['prefer'] === undefined && !isStream(request);
      ticket.leave(isPlain ? performance.now() - startedMs : null);
    }
  };
}

function kindOf({ url = '', method }: IncomingMessage): RequestKind | null {
  if (!url.startsWith('/v1/')) return null;
  return method === 'POST' && url.startsWith(SUBMIT_PATH) ? 'submit' : 'other';
}

function isStream({ headers }: IncomingMessage): boolean {
  return headers['content-type']?.toLowerCase().startsWith(LINES) === true;
}

function weigh(request: IncomingMessage, bodyBytesMax: number): number {
  if (request.method === 'GET' || request.method === 'HEAD') return 0;
  const declared = Number(request.headers['content-length']);
  const isUnknown = isStream(request) || !Number.isFinite(declared);
  return isUnknown ? STREAM_BYTES : Math.min(declared, bodyBytesMax);
}

function refuse(
  { requestsMax, metrics }: ShedOptions,
  request: IncomingMessage,
  response: ServerResponse,
  refusal: Refusal,
): void {
  metrics.requestsShed.inc({ reason: refusal });
  const given = request.headers['x-request-id'];
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  const problem = new Problem(
    refusal === 'postgres' ? 'unavailable' : 'overloaded',
    DETAILS[refusal],
  );
  const body = JSON.stringify(problemJson(problem, requestId));
  for (const [name, value] of SECURITY_HEADERS) response.setHeader(name, value);
  if (refusal !== 'postgres') {
    response.setHeader('RateLimit-Policy', `"in-flight";q=${requestsMax};qu="concurrent-requests"`);
    response.setHeader('RateLimit', '"in-flight";r=0;t=1');
  }
  response.writeHead(503, {
    'Content-Type': PROBLEM_CONTENT_TYPE,
    'Content-Length': Buffer.byteLength(body),
    'Content-Security-Policy': STRICT_POLICY,
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
    // One or two, so that those who were refused together do not come back together.
    'Retry-After': Math.random() < 0.5 ? '1' : '2',
  });
  // Node reads on and drops the body once the answer is out, so the connection can be used again.
  response.end(body);
  const labels = { method: request.method ?? '', route: '(shed)', status: '503' };
  metrics.httpDuration.observe(labels, 0);
}
