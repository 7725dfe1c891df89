/**
 * The listening socket: Node's server with limits against slow and broken clients, also against readers that take nothing of an
 * answer, and a shutdown that lets balancers go elsewhere and requests finish.
 */

import { randomUUID } from 'node:crypto';
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { getRequestListener, RequestError } from '@hono/node-server';
import type { Hono } from 'hono';
import type { Log } from '../metrics/log.ts';
import { given } from '../words/describe-issue.ts';
import { Failure } from '../words/failure.ts';
import { PROBLEM_CONTENT_TYPE, Problem, problemJson } from './answers/problem.ts';
import type { AppEnv } from './app-env.ts';
import { type Answers, close, retire, watchConnections, watchReaders } from './connections.ts';
import { requestIdFor, USUAL_HEADERS } from './edge.ts';
import { createTlsServer, EarlyResponse, isStranger, type Tls } from './tls-server.ts';

const HEADERS_TIMEOUT_MS = 5000;
const CHECK_INTERVAL_MS = 1000;
/** Longest silence in both directions: longer than any answer may take. */
const SILENCE_MS = 120_000;
const HEADER_BYTES_MAX = 16 * 1024;
/** Bounds of a worker's health checks; an API has settings. */
const KEEP_ALIVE_MS = 65_000;
const UNTAKEN_MS = 60_000;
/** How often readers are looked at. Rarer: a reader that takes nothing stays this much longer. */
const LOOK_EVERY_MS = 1000;

type ServeOptions = {
  readonly host: string;
  readonly port: number;
  /** Name of the setting that has the port; PORT by default. */
  readonly setting?: 'RISK_WORKER_PORT';
  /** Serves https in place of http. */
  readonly tls?: Tls | undefined;
  /** How long a connection without a request is kept; `RISK_KEEP_ALIVE_MS`. */
  readonly idleMs?: number;
  /** How long the reader of an answer may take nothing until its connection ends; `RISK_EXPORT_IDLE_MS`. */
  readonly untakenMs?: number;
  readonly log?: Pick<Log, 'warn'>;
};

export type Serving = Awaited<ReturnType<typeof serve>>;

/** An application, as a server calls it. */
export const toListener = (app: Hono<AppEnv>): RequestListener =>
  // EarlyResponse reads what an answer leaves of a body.
  getRequestListener(app.fetch, { errorHandler: refuseTarget, autoCleanupIncoming: false });

export async function serve(listener: RequestListener, options: ServeOptions) {
  const { untakenMs = UNTAKEN_MS, log } = options;
  const answers: Answers = new WeakMap();
  const retiring = new AbortController();
  const server = openServer(listener, options, answers, retiring.signal);
  // A handshake has a time-out of its own, which goes on while the server closes.
  const connections = watchConnections(server, options.tls ? 'secureConnection' : 'connection');
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const scheme = options.tls === undefined ? 'http' : 'https';
  const endUntaken = watchReaders(connections, log);
  const everyMs = Math.min(LOOK_EVERY_MS, untakenMs / 4);
  const looking = setInterval(endUntaken, everyMs, untakenMs / everyMs).unref();
  server.once('close', () => clearInterval(looking));
  return {
    url: `${scheme}://${host}:${port}`,
    /**
     * Answers for the time of grace as before, each answer as the last of its connection. Then connections are refused, and a second
     * later no balancer sends requests on connections that the balancer kept.
     */
    retire: async (graceMs: number) => {
      retiring.abort();
      if (graceMs > 0) await retire(server, graceMs);
    },
    /** Stops accepting, closes idle connections and resolves when the last request is answered. */
    close: () => {
      retiring.abort();
      return close(server, connections, answers, endUntaken);
    },
  };
}

function openServer(
  listener: RequestListener,
  { tls, idleMs = KEEP_ALIVE_MS }: ServeOptions,
  answers: Answers,
  retiring: AbortSignal,
): Server {
  class LastResponse extends EarlyResponse {
    override writeHead(status: number, ...rest: unknown[]): this {
      // While a body arrives its connection stays: the next answer is the last.
      if (retiring.aborted && isWhole(this.req)) this.shouldKeepAlive = false;
      return super.writeHead(status, ...rest);
    }
  }
  const limits = {
    ServerResponse: LastResponse,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Bodies have deadlines of their own (http/body/body.ts): a stream of lines may take hours.
    requestTimeout: 0,
    keepAliveTimeout: idleMs,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    // Requests without a Host are refused below, with a problem; HTTP/1.0 needs no Host.
    requireHostHeader: false,
  };
  const answer: RequestListener = (request, response) => {
    answers.set(request.socket, response);
    if (request.httpVersion === '1.0') request.headers.host ??= 'localhost';
    if (isStranger(tls, request))
      writeProblem(request, response, new Problem('forbidden', STRANGE));
    else if (isUtf8(request.url ?? '')) listener(request, response);
    else writeProblem(request, response, new Problem('malformed-request', OTHER_BYTES));
  };
  const server =
    tls === undefined
      ? createServer(limits, answer)
      : createTlsServer(tls, { ...limits, handshakeTimeout: HEADERS_TIMEOUT_MS }, answer);
  server.timeout = SILENCE_MS;
  server.on('clientError', (error, socket: Socket) => {
    refuseUnreadable(error, socket, answers.get(socket));
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    const problem = new Problem(
      'expectation-failed',
      `The header Expect must be 100-continue, not ${given(request.headers.expect)}.`,
    );
    writeProblem(request, response, problem);
  });
  return server;
}

const STRANGE =
  'The client shows no certificate that sslrootcert of RISK_TLS has signed, which only /livez and /readyz do without.';
const OTHER_BYTES = 'The URL has bytes that are not UTF-8, in which é is %C3%A9.';

/** A parser replaces all bytes that are not UTF-8 by the same character, so two names would be equal. A % that escapes nothing stays. */
function isUtf8(target: string): boolean {
  if (!target.includes('%')) return true;
  try {
    decodeURIComponent(target.replace(/%(?![0-9a-f]{2})/gi, '%25'));
    return true;
  } catch {
    return false;
  }
}

/** The target or Host gives no valid URL. */
function refuseTarget(error: unknown): Response {
  if (!(error instanceof RequestError)) throw error;
  const detail = `The request has no valid target and Host: ${error.message}.`;
  const { body, ...head } = bareProblem(new Problem('malformed-request', detail));
  return new Response(body, head);
}

/** Requests that Node could not parse, or that timed out, never reach the application. */
function refuseUnreadable(
  error: NodeJS.ErrnoException,
  socket: Socket,
  under: ServerResponse | undefined,
): void {
  const open = under?.writableFinished === false ? under : undefined;
  // The body broke off while its answer was being sent: nothing else may follow on the connection.
  if (!socket.writable || error.code === 'ECONNRESET' || open?.headersSent === true) {
    socket.destroy();
    return;
  }
  // Bytes behind a complete request are not its fault: its answer is sent, and is the last.
  if (open?.req.complete === true) {
    open.shouldKeepAlive = false;
    return;
  }
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  const problem = isLate
    ? new Problem('request-timeout', 'The headers did not arrive in time.')
    : new Problem('malformed-request', 'The request is not HTTP as this server reads it.');
  const { status, headers, body } = bareProblem(problem);
  const head = Object.entries({ ...headers, Connection: 'close' });
  const lines = head.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines}\r\n${body}`);
}

async function listen(server: Server, { host, port, setting }: ServeOptions): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen(port, host, resolve);
  try {
    await promise.finally(() => server.off('error', reject));
  } catch (error) {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    if (!isTaken) throw error;
    const why = `port ${port} of ${host} is taken: set ${setting ?? 'PORT'} to another`;
    throw new Failure('unavailable', 'PORT_TAKEN', why);
  }
}

/** Whether the body, if there is a body, has arrived. */
const isWhole = ({ complete, headers }: IncomingMessage) =>
  complete ||
  (headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0);

/** Problems of requests that never reach the application, with the headers that it gives every answer. */
function bareProblem(problem: Problem, requestId: string = randomUUID()) {
  const json = problemJson(problem, requestId);
  const body = JSON.stringify(json);
  const headers = {
    ...Object.fromEntries(USUAL_HEADERS),
    ...problem.headers,
    'Content-Type': PROBLEM_CONTENT_TYPE,
    'Content-Length': String(Buffer.byteLength(body)),
    'X-Request-Id': requestId,
  };
  return { status: json.status, headers, body };
}

export function writeProblem(
  request: IncomingMessage,
  response: ServerResponse,
  problem: Problem,
): void {
  const requestId = requestIdFor(request.headers['x-request-id']);
  const { status, headers, body } = bareProblem(problem, requestId);
  response.writeHead(status, headers).end(body);
}
