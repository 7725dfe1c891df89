/** A receiver of webhooks: an HTTP or HTTPS server that keeps what it gets, and answers as a test says. */
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

export type Received = {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly atMs: number;
};

/** Answers a request; `body` has been read. */
export type AnswerRequest = (response: ServerResponse, received: Received) => void;

export type Receiver = Awaited<ReturnType<typeof startReceiver>>;

/** @param tls certificate and key, PEM: the receiver then takes https alone */
export async function startReceiver(tls?: { cert: string; key: string }) {
  const received: Received[] = [];
  let answer: AnswerRequest = (response) => response.writeHead(204).end();
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks).toString();
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    );
    const one = { path: request.url ?? '', headers, body, atMs: Date.now() };
    received.push(one);
    answer(response, one);
  };
  const handle = (request: IncomingMessage, response: ServerResponse) => {
    // A client may break off at any time.
    take(request, response).catch(() => response.destroy());
  };
  const server = tls === undefined ? http.createServer(handle) : https.createServer(tls, handle);
  let connections = 0;
  server.on('connection', () => {
    connections += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    ...{ received, port, url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/hook` },
    /** Connections that were made to it. */
    connections: () => connections,
    /** Answers this way from now on; 204 at first. */
    answer: (how: AnswerRequest) => {
      answer = how;
    },
    /** Ids of what came, sorted; each verified with the secret by a library that others keep. */
    verified: (secret: string) => {
      const verifier = new Webhook(secret);
      for (const { body, headers } of received) verifier.verify(body, headers);
      return received.map(({ headers }) => headers['webhook-id'] ?? '').sort();
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

/** Answers with a status and nothing else. */
export const status =
  (code: number, headers: Readonly<Record<string, string>> = {}): AnswerRequest =>
  (response) =>
    response.writeHead(code, headers).end();
