/** Goal: commands to a cluster keep the rules of those to one node. Method: a cluster of one real node. */
import { expect, test } from 'vitest';
import { claimIdentity } from '../../src/core/stream/identity.ts';
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { startClusterNode, startOneNodeCluster } from '../support/one-node-cluster.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

const MS_MAX = 30_000;
const COMMAND_MS = 1000;

test('a command is not sent again, and what keeps one from being sent is said', async () => {
  await using own = await startOneNodeCluster();
  const refused = openCommands(own.url.replaceAll(':test@', ':other@'), MS_MAX);
  const says = async () => await claimIdentity(refused, 'm').then(() => '', String);
  await waitUntil(async () => (await says()).includes('WRONGPASS'), MS_MAX, 'a reason');
  refused.disconnect();
  await using proxy = await startTcpProxy(own.service.url);
  await own.node.call('CONFIG', ['SET', 'cluster-announce-port', new URL(proxy.url).port]);
  const cluster = openCommands(`${proxy.url},${proxy.url}`, MS_MAX);
  await untilReady(cluster, MS_MAX);
  expect(await cluster.incr('other')).toBe(1);
  proxy.inflict({ kind: 'cut', at: 'once', forwarded: true, times: 1 });
  await expect(cluster.incr('once')).rejects.toThrow();
  // The client reconnects by itself; the command was carried out the first time.
  const isBack = async () => (await cluster.get('once').catch(() => null)) === '1';
  await waitUntil(isBack, MS_MAX, 'an answer');
  cluster.disconnect();
});

test('a command that has failed is not carried out where it is redirected later', async () => {
  await using own = await startOneNodeCluster();
  const busPort = await freePort();
  await using other = await startClusterNode(busPort);
  const { port } = new URL(other.url);
  const heir = openCommands(other.url, MS_MAX);
  await untilReady(heir, MS_MAX);
  await own.node.call('CLUSTER', ['MEET', '127.0.0.1', port, busPort]);
  const serves = async () => /state:ok[\s\S]*known_nodes:2/.test(await heir.cluster('INFO'));
  await waitUntil(serves, MS_MAX, 'both nodes');
  await using proxy = await startTcpProxy(own.service.url);
  await own.node.call('CONFIG', ['SET', 'cluster-announce-port', new URL(proxy.url).port]);
  const cluster = openCommands(`${proxy.url},${proxy.url}`, COMMAND_MS);
  await untilReady(cluster, MS_MAX);
  const isSet = async () => (await cluster.set('{k}first', '1').catch(() => '')) === 'OK';
  await waitUntil(isSet, MS_MAX, 'the first node');
  const failed = Promise.withResolvers<void>();
  const handOver = async () => {
    await failed.promise;
    const slot = await heir.cluster('KEYSLOT', '{k}');
    const id = await heir.call('CLUSTER', ['MYID']);
    await own.node.del('{k}first');
    for (const node of [heir, own.node])
      await node.call('CLUSTER', ['SETSLOT', slot, 'NODE', String(id)]);
  };
  proxy.inflict({ kind: 'hold', at: 'late', act: handOver });
  await expect(cluster.incr('{k}late')).rejects.toThrow('timed out');
  failed.resolve();
  // The command follows the late one on the same connection, so its answer comes later.
  const follows = async () => (await cluster.set('{k}next', '1').catch(() => '')) === 'OK';
  await waitUntil(follows, MS_MAX, 'the other node');
  expect(await heir.get('{k}late')).toBeNull();
  heir.disconnect();
  cluster.disconnect();
});
