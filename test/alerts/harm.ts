/** Steps of causes. */
import { createServer } from 'node:http';
import pg from 'pg';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { superuserUrl } from '../support/standby.ts';
import type { Rig } from './rig.ts';
import type { Traffic } from './traffic.ts';

export type Scene = Rig & { readonly traffic: Traffic };

/** Transactions of one request of a flood. */
export const BURST = 500;

export const signalAll = (pids: readonly number[], signal: NodeJS.Signals) => {
  for (const pid of pids) process.kill(pid, signal);
};

export async function onReplica({ services }: Scene, order: 'pause' | 'resume'): Promise<void> {
  const client = new pg.Client(superuserUrl(services.replica?.url ?? ''));
  await client.connect();
  await client.query(`select pg_wal_replay_${order}()`);
  await client.end();
}

export async function mustPost(traffic: Traffic, body: string): Promise<void> {
  const answer = await traffic.post(body);
  if (answer?.status !== 200) throw new Error(`not accepted: ${answer?.status} ${answer?.text}`);
}

/** Posts as fast as the engine answers, until the end. */
export function flood({ traffic }: Scene) {
  let isOver = false;
  const heavy = traffic.batches(BURST);
  const sender = async () => {
    while (!isOver) await traffic.post(heavy.next().value?.body ?? '');
  };
  const senders = Promise.all(Array.from({ length: 6 }, sender));
  return async () => {
    isOver = true;
    await senders;
  };
}

/** A webhook whose receiver answers so, or never. */
export async function webhook({ traffic }: Scene, status: number | null) {
  const port = await freePort();
  const server = createServer((request, response) => {
    request.resume();
    if (status !== null) response.writeHead(status).end();
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  server.unref();
  const wanted = { url: `http://127.0.0.1:${port}/`, event_types: ['transaction.decided'] };
  const made = await traffic.ask('/v1/webhooks', JSON.stringify(wanted));
  if (made?.status !== 201) throw new Error(`no webhook was made: ${made?.text}`);
  const { id } = JSON.parse(made.text) as { id: string };
  return { id, close: () => server.closeAllConnections() };
}

export const removeWebhook = ({ traffic }: Scene, id: string) =>
  traffic.ask(`/v1/webhooks/${id}`, undefined, 'DELETE');
