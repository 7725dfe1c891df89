/** Steps of causes. */
import { createServer } from 'node:http';
import { gzipSync } from 'node:zlib';
import { type Cap, openCgroups } from '../../bench/support/cgroup.ts';
import type { Role } from '../../bench/support/role-process.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { askPostgres, superuserUrl } from '../support/standby.ts';
import { waitUntil } from '../support/wait-until.ts';
import type { Rig } from './rig.ts';
import type { Traffic } from './traffic.ts';

export type Scene = Rig & { readonly traffic: Traffic };

/** Transactions of one request. */
export const BURST = 500;
/** Longer: the API answers the scraper too late; shorter: senders need a processor of their own. */
const BAD_BURST = 50;
const FIRST_SCORE_MS_MAX = 30_000;

export const signalAll = (pids: readonly number[], signal: NodeJS.Signals) => {
  for (const pid of pids) process.kill(pid, signal);
};

export const onReplica = ({ services }: Scene, order: 'pause' | 'resume') =>
  askPostgres(superuserUrl(services.replica?.url ?? ''), `select pg_wal_replay_${order}()`);

export async function mustPost(traffic: Traffic, body: string): Promise<void> {
  const answer = await traffic.post(body);
  if (answer?.status !== 200) throw new Error(`not accepted: ${answer?.status} ${answer?.text}`);
}

export async function postBursts(traffic: Traffic, count: number): Promise<void> {
  const burst = traffic.batches(BURST, 'US-EG');
  for (let nth = 0; nth < count; nth++) await traffic.post(burst.next().value?.body ?? '');
}

/** A label of a transaction that has a score; the first cause of a run comes before the first score. */
export async function labelOfScored({ services: { query } }: Scene) {
  const find = () =>
    query<{ id: string }>(
      'select transaction_id::text as id from scores order by scored_at desc limit 1',
    );
  const { id } = await waitUntil(async () => (await find())[0], FIRST_SCORE_MS_MAX, 'a score');
  const labelled = { label: 'fraud', source: 'chargeback', labelled_at: new Date().toISOString() };
  return { transaction_id: id, ...labelled };
}

/** Starts the process of a role anew with what a container has. */
export async function confine({ engine }: Scene, role: Role, cap: Cap) {
  const cgroups = await openCgroups();
  const name = `${role}-1`;
  if (!engine.process(name).hasEnded()) await engine.drain(name);
  await engine.start(role, name, { within: cgroups.make(name, cap) });
  return async () => {
    await engine.drain(name);
    await cgroups[Symbol.asyncDispose]();
    await engine.start(role, name);
  };
}

/** Posts a batch with an error as fast as the API refuses it, until the end. */
export function floodWithErrors({ traffic }: Scene, connections: number) {
  let isOver = false;
  const rows = traffic.batches(BAD_BURST).next().value?.rows ?? [];
  const last = rows.at(-1)?.replace(/"amount":"[^"]*"/, '"amount":"x"');
  const body = gzipSync(`{"transactions":[${[...rows.slice(0, -1), last].join(',')}]}`);
  const sender = async () => {
    while (!isOver) await traffic.post(body);
  };
  const senders = Promise.all(Array.from({ length: connections }, sender));
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
