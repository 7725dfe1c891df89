/**
 * Goal: a cluster of Redis that is wholly away is asked a bounded number of times, and is used again when it is back. Method:
 * every socket that this process opens to a port of the cluster is counted.
 */
import diagnostics from 'node:diagnostics_channel';
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openReaderConnection } from '../../src/core/stream/group/reader-connection.ts';
import { repliesChannel } from '../../src/core/stream/keys.ts';
import { openReplies } from '../../src/core/stream/settle/replies.ts';
import { openCommands, type RedisClient, untilReady } from '../../src/kit/redis/connection.ts';
import { retryMs } from '../../src/kit/redis/connector.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { startClusterNode } from '../support/one-node-cluster.ts';
import { startRunningApi } from '../support/running-api.ts';
import type { TestService } from '../support/services.ts';
import { input } from '../support/submit.ts';
import { waitUntil } from '../support/wait-until.ts';

const MS_MAX = 30_000;
const WATCHED_MS = 3000;
/** Each of two nodes is asked after 100, 200, 400, 800 ms and then once a second, in turn by the clients of this process. */
const OPENED_MAX = 30;
const HEARD_MS_MAX = 200;
const MARKET = 'market_0';

/** Counts what this process opens within the time. */
async function countOpened(): Promise<number> {
  let opened = 0;
  const count = () => {
    opened += 1;
  };
  diagnostics.subscribe('net.client.socket', count);
  await delay(WATCHED_MS);
  diagnostics.unsubscribe('net.client.socket', count);
  return opened;
}

async function openClients(url: string) {
  await using opened = new AsyncDisposableStack();
  const commands = openCommands(url, 1000);
  opened.defer(() => commands.disconnect());
  const replies = opened.use(openReplies({ url, market: MARKET, commands }));
  opened.use(openReaderConnection(url, 1000, commands));
  await untilReady(commands, MS_MAX);
  const channel = repliesChannel(MARKET, replies.instance);
  // A node answers with the subscribers of its own alone, so a message has to arrive.
  const isHeard = async () => {
    const reply = replies.expect('sent');
    await commands.publish(channel, '{"transaction_id":"sent"}').catch(() => 0);
    const heard = await Promise.race([reply.score, delay(HEARD_MS_MAX)]);
    reply.cancel();
    return heard !== undefined;
  };
  await waitUntil(isHeard, MS_MAX, 'the subscription');
  const owned = opened.move();
  return { commands, isHeard, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Two masters with half of the slots each: a client connects to a node only for a command, so most nodes are not connected to. */
async function startCluster() {
  await using opened = new AsyncDisposableStack();
  const busPorts = [await freePort(), await freePort()];
  const nodes: TestService[] = [];
  for (const port of busPorts) nodes.push(opened.use(await startClusterNode(port)));
  const clients = nodes.map(({ url }) => openCommands(url, MS_MAX));
  for (const client of clients) {
    opened.defer(() => client.disconnect());
    await untilReady(client, MS_MAX);
  }
  const [first, second] = clients as [RedisClient, RedisClient];
  await first.call('CLUSTER', ['ADDSLOTSRANGE', 0, 8191]);
  await second.call('CLUSTER', ['ADDSLOTSRANGE', 8192, 16_383]);
  const { port } = new URL(nodes[1]?.url ?? '');
  await first.call('CLUSTER', ['MEET', '127.0.0.1', port, busPorts[1] ?? 0]);
  const isWhole = async () =>
    (await first.cluster('INFO')).includes('cluster_state:ok') &&
    (await second.cluster('INFO')).includes('cluster_state:ok');
  await waitUntil(isWhole, MS_MAX, 'the cluster');
  for (const client of clients) client.disconnect();
  const owned = opened.move();
  return {
    nodes,
    url: nodes.map(({ url }) => url).join(),
    kill: () => Promise.all(nodes.map((node) => node.kill())),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

test('a cluster that refuses connections is asked some times a second, and is used when it is back', async () => {
  await using cluster = await startCluster();
  await using clients = await openClients(cluster.url);
  await cluster.kill();
  expect(await countOpened()).toBeLessThan(OPENED_MAX);
  await Promise.all(cluster.nodes.map((node) => node.start()));
  await waitUntil(clients.isHeard, MS_MAX, 'the subscription after the outage');
  await waitUntil(
    async () => (await clients.commands.set('{k}back', '1').catch(() => '')) === 'OK',
    MS_MAX,
    'a command after the outage',
  );
});

test('a cluster behind a balancer without servers is asked some times a second', async () => {
  await using cluster = await startCluster();
  await using _clients = await openClients(cluster.url);
  await cluster.kill();
  const balancers = cluster.nodes.map(({ url }) =>
    createServer((socket) => {
      socket.on('error', () => undefined).destroy();
    }).listen(Number(new URL(url).port), '127.0.0.1'),
  );
  expect(await countOpened()).toBeLessThan(OPENED_MAX);
  for (const balancer of balancers) balancer.close();
});

test('commands to a node of a cluster that is away open no connection each', async () => {
  await using cluster = await startCluster();
  const commands = openCommands(cluster.url, 1000);
  await untilReady(commands, MS_MAX);
  // The slots of these two keys belong to different nodes.
  const ask = async () => {
    await Promise.all(['a', 'b'].map((key) => commands.get(key).catch(() => undefined)));
    await delay(1);
  };
  await ask();
  await cluster.nodes[1]?.kill();
  const stopped = new AbortController();
  const load = (async () => {
    while (!stopped.signal.aborted) await ask();
  })();
  expect(await countOpened()).toBeLessThan(2 * OPENED_MAX);
  stopped.abort();
  await load;
  commands.disconnect();
});

test('an API takes posts while its cluster is away', async () => {
  await using cluster = await startCluster();
  await using api = await startRunningApi({ REDIS_URL: cluster.url });
  await cluster.kill();
  const opened = countOpened();
  const { status } = await api.post('/v1/transactions', input());
  expect(status).toBe(201);
  expect(await opened).toBeLessThan(2 * OPENED_MAX);
});

test('waits double up to a second', () => {
  expect([1, 2, 3, 4, 5, 100].map(retryMs)).toEqual([100, 200, 400, 800, 1000, 1000]);
});
