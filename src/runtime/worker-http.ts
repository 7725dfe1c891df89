/** A worker's /livez, /readyz and /metrics on a listener of its own. */
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Health } from './guards.ts';
import type { Metrics } from './metrics.ts';

export type WorkerHttpOptions = {
  readonly host: string;
  readonly port: number;
  readonly metrics: Metrics;
  /** False when the process should be restarted. */
  readonly isAlive: () => boolean;
  /** The answer of each dependency; ready when all are true. */
  readonly readiness: () => Promise<Readonly<Record<string, boolean>>>;
  readonly health: Pick<Health, 'level' | 'breakers'>;
};

export type WorkerHttp = {
  readonly port: number;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

const REQUEST_TIMEOUT_MS = 10_000;

export async function openWorkerHttp(options: WorkerHttpOptions): Promise<WorkerHttp> {
  const server = createServer(
    { requestTimeout: REQUEST_TIMEOUT_MS, headersTimeout: REQUEST_TIMEOUT_MS / 2 },
    (request, response) => {
      answer(options, request.method ?? '', request.url ?? '', response).catch(() => {
        refuse(response, 500, 'Internal error');
      });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, resolve);
  });
  // The address above is of a port, never of a pipe.
  const { port } = server.address() as AddressInfo;
  return {
    port,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function answer(
  { metrics, isAlive, readiness, health }: WorkerHttpOptions,
  method: string,
  url: string,
  response: ServerResponse,
): Promise<void> {
  if (method !== 'GET' && method !== 'HEAD')
    return refuse(response, 405, 'Method not allowed', { allow: 'GET, HEAD' });
  switch (url.split('?')[0]) {
    case '/livez':
      return isAlive()
        ? send(response, 200, { status: 'alive' })
        : send(response, 503, { status: 'no poll for too long' });
    case '/readyz': {
      const checks = await readiness();
      const ready = Object.values(checks).every(Boolean);
      return send(response, ready ? 200 : 503, {
        status: ready ? 'ready' : 'not ready',
        ...checks,
        degradation: health.level(),
        breakers: health.breakers(),
      });
    }
    case '/metrics': {
      const text = await metrics.registry.metrics();
      response.writeHead(200, { 'content-type': metrics.registry.contentType }).end(text);
      return;
    }
    default:
      return refuse(response, 404, 'Not found');
  }
}

/** A problem (RFC 9457), like the API's. */
function refuse(
  response: ServerResponse,
  status: number,
  title: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response
    .writeHead(status, { ...headers, 'content-type': 'application/problem+json' })
    .end(`${JSON.stringify({ type: 'about:blank', title, status })}\n`);
}

function send(response: ServerResponse, status: number, body: object): void {
  response
    .writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' })
    .end(`${JSON.stringify(body)}\n`);
}
