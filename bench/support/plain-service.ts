/**
 * The HTTP side of services that the engine is compared with: the routes of the API that a bench uses, answered
 * with the same bytes, and what role-process.ts and scored-counter.ts ask of a role. Bodies are parsed and not
 * validated, keys are not checked: each of these favours the rival.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { KeyedTransactionInput } from '../../src/core/domain/transaction.ts';

/** Accepts durably; resolves to the ids, one an input. */
export type Accept = (inputs: readonly KeyedTransactionInput[]) => Promise<readonly string[]>;

export type PlainService = {
  readonly port: number;
  /** Absent in a worker. */
  readonly accept?: Accept;
  /** Answers a GET by its path and query; 404 where it is absent. */
  readonly read?: (url: string) => object;
  /** Scores that this process has stored. */
  readonly scored: () => number;
  /** Called at SIGTERM once no request is being answered. */
  readonly close: () => Promise<void>;
};

/** Serves until SIGTERM, then drains and lets the process end. */
export async function servePlainly(service: PlainService): Promise<void> {
  const server = createServer((request, response) => {
    answer(service, request, response).catch((error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      send(response, 500, { status: 'failed' });
    });
  });
  server.keepAliveTimeout = 65_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(service.port, '127.0.0.1', resolve);
  });
  process.once('SIGTERM', () => {
    server.close(() => {
      service.close().catch((error: unknown) => {
        process.stderr.write(`${String(error)}\n`);
        process.exitCode = 1;
      });
    });
    server.closeIdleConnections();
  });
}

async function answer(
  { accept, read, scored }: PlainService,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  switch (request.url) {
    case '/readyz':
      return send(response, 200, { status: 'ready' });
    case '/metrics':
      response.writeHead(200, { 'content-type': 'text/plain' });
      response.end(`risk_transactions_scored_total ${scored()}\n`);
      return;
    case '/v1/transactions/batch':
      if (accept !== undefined) return await answerBatch(accept, request, response);
      break;
    case '/v1/transactions':
      if (accept !== undefined) return await answerOne(accept, request, response);
      break;
  }
  if (request.method === 'GET' && read !== undefined) {
    return send(response, 200, read(request.url ?? ''));
  }
  send(response, 404, { status: 'not found' });
}

async function answerBatch(
  accept: Accept,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { transactions } = JSON.parse(await readBody(request)) as {
    transactions: KeyedTransactionInput[];
  };
  const ids = await accept(transactions);
  const results = ids.map((id, index) => ({
    index,
    transaction_id: id,
    status: 'accepted',
  }));
  send(response, 200, { accepted: ids.length, duplicates: 0, results });
}

async function answerOne(
  accept: Accept,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const input = JSON.parse(await readBody(request)) as KeyedTransactionInput;
  const [id] = await accept([input]);
  const created_at = input.created_at ?? new Date().toISOString();
  send(response, 201, { transaction_id: id, status: 'accepted', created_at, score: null });
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function send(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body);
  response
    .writeHead(status, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    })
    .end(text);
}
