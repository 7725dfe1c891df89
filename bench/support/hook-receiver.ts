/** A receiver of webhooks as a process of its own: answers at once, and counts what came when it is asked. Forked by hook-receiver-process.ts. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

export type Received = {
  readonly events: number;
  /** Decisions in the lists of all events. */
  readonly decisions: number;
  /** Distinct transactions among the decisions. */
  readonly transactions: number;
};

const bodies = new Map<string, string>();

async function take(request: IncomingMessage): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  bodies.set(String(request.headers['webhook-id']), Buffer.concat(chunks).toString());
}

function count(): Received {
  const ids = [...bodies.values()].flatMap((body): string[] =>
    JSON.parse(body).data.decisions.map((one: { transaction_id: string }) => one.transaction_id),
  );
  return { events: bodies.size, decisions: ids.length, transactions: new Set(ids).size };
}

const server = createServer((request, response) => {
  take(request).then(
    () => response.writeHead(204).end(),
    () => response.destroy(),
  );
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
process.on('message', () => process.send?.(count()));
process.send?.((server.address() as AddressInfo).port);
