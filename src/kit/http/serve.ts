/**
 * The listening socket: Node's server with limits against slow and broken clients, a port that may move on when
 * it is taken, and a shutdown that lets requests finish.
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
import { given } from '../words/describe-issue.ts';
import { Failure } from '../words/failure.ts';
import { PROBLEM_CONTENT_TYPE, Problem, problemJson } from './answers/problem.ts';
import type { AppEnv } from './app-env.ts';
import { requestIdFor, USUAL_HEADERS } from './edge.ts';
import { createTlsServer, EarlyResponse, type Tls } from './tls-server.ts';

const HEADERS_TIMEOUT_MS = 5000;
const CHECK_INTERVAL_MS = 1000;
/** A keep-alive of a load balancer's usual 60 s would let it reuse dead connections; ours is longer. */
const KEEP_ALIVE_MS = 65_000;
/** Longest silence in both directions: longer than any answer may take. */
const SILENCE_MS = 120_000;
const HEADER_BYTES_MAX = 16 * 1024;
const SWEEP_MS = 50;
/** How long a request whose headers have begun may take while the server closes. Longer: a stranger's half a request delays a drain. */
const LAST_HEADERS_MS = 1000;

type ServeOptions = {
  readonly host: string;
  readonly port: number;
  /** Name of the setting that has the port; PORT by default. */
  readonly setting?: 'RISK_WORKER_PORT';
  /** Serves https in place of http. */
  readonly tls?: Tls | undefined;
};

export type Serving = {
  readonly url: string;
  /** Stops accepting, closes idle connections and resolves when the last request is answered. */
  readonly close: () => Promise<void>;
};

type BareProblem = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
};

/** An application, as a server calls it. */
export const toListener = (app: Hono<AppEnv>): RequestListener =>
  // EarlyResponse reads what an answer leaves of a body.
  getRequestListener(app.fetch, { errorHandler: refuseTarget, autoCleanupIncoming: false });

export async function serve(listener: RequestListener, options: ServeOptions): Promise<Serving> {
  const answers: Answers = new WeakMap();
  const server = openServer(listener, options.tls, answers);
  // A handshake has a time-out of its own, which goes on while the server closes.
  const connections = watchConnections(server, options.tls ? 'secureConnection' : 'connection');
  await listen(server, options);
  const { port } = server.address() as AddressInfo;
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  const scheme = options.tls === undefined ? 'http' : 'https';
  return { url: `${scheme}://${host}:${port}`, close: () => close(server, connections, answers) };
}

/** The newest answer of each connection. */
type Answers = WeakMap<Socket, ServerResponse>;

function openServer(listener: RequestListener, tls: Tls | undefined, answers: Answers): Server {
  const limits = {
    ServerResponse: EarlyResponse,
    headersTimeout: HEADERS_TIMEOUT_MS,
    // Bodies have deadlines of their own (http/body/body.ts): a stream of lines may take hours.
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CHECK_INTERVAL_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
    // Requests without a Host are refused below, with a problem; HTTP/1.0 needs no Host.
    requireHostHeader: false,
  };
  const answer: RequestListener = (request, response) => {
    answers.set(request.socket, response);
    if (request.httpVersion === '1.0') request.headers.host ??= 'localhost';
    listener(request, response);
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

async function close(
  server: Server,
  connections: ReadonlySet<Socket>,
  answers: Answers,
): Promise<void> {
  const closed = Promise.withResolvers<void>();
  const lateMs = performance.now() + LAST_HEADERS_MS;
  server.close(() => closed.resolve());
  const closeUnused = () => {
    server.closeIdleConnections();
    const isLate = performance.now() >= lateMs;
    // To Node a connection is busy on which no request, or half of one, has come, and once a server closes no time-out of headers ends it.
    for (const connection of connections) {
      if (connection.bytesRead === 0 || (isLate && !isBusy(answers.get(connection))))
        connection.destroy();
    }
  };
  // Ends connections that are idle now, and others after their last answer.
  const sweep = setInterval(closeUnused, SWEEP_MS);
  closeUnused();
  await closed.promise;
  clearInterval(sweep);
}

/** Whether a request is being answered, or its body read. */
const isBusy = (answer: ServerResponse | undefined) =>
  answer !== undefined && !(answer.writableFinished && answer.req.complete);

function watchConnections(
  server: Server,
  opened: 'connection' | 'secureConnection',
): ReadonlySet<Socket> {
  const connections = new Set<Socket>();
  server.on(opened, (connection: Socket) => {
    connections.add(connection);
    connection.once('close', () => connections.delete(connection));
  });
  return connections;
}

/** Problems of requests that never reach the application, with the headers that it gives every answer. */
function bareProblem(problem: Problem, requestId: string = randomUUID()): BareProblem {
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
