/** Goal: commands to a cluster keep the rules of those to one node. Method: a cluster of one real node. */
import { expect, inject, test } from 'vitest';
import { openCommands, untilReady } from '../../src/stream/connection.ts';
import { claimIdentity } from '../../src/stream/identity.ts';
import { startOneNodeCluster } from '../support/one-node-cluster.ts';
import { startTcpProxy } from '../support/tcp-proxy.ts';
import { waitUntil } from '../support/wait-until.ts';

// The WebAssembly build is no cluster.
const onCluster = test.skipIf(inject('redisSource').kind === 'wasm');
const MS_MAX = 30_000;

onCluster('a command whose answer is lost fails, and is not sent again', async () => {
  await using own = await startOneNodeCluster();
  await using proxy = await startTcpProxy(own.service.url);
  await own.node.call('CONFIG', ['SET', 'cluster-announce-port', new URL(proxy.url).port]);
  const cluster = openCommands(`${proxy.url},${proxy.url}`, MS_MAX);
  await untilReady(cluster, MS_MAX);
  expect(await cluster.incr('other')).toBe(1);
  proxy.inflict({ kind: 'cut', at: 'once', forwarded: true, times: 1 });
  await expect(cluster.incr('once')).rejects.toThrow();
  // It finds its way back by itself, and had been heard the first time.
  const isBack = async () => (await cluster.get('once').catch(() => null)) === '1';
  await waitUntil(isBack, MS_MAX, 'an answer');
  cluster.disconnect();
});

onCluster('a cluster that cannot be reached says why', async () => {
  await using own = await startOneNodeCluster();
  const refused = openCommands(own.url.replaceAll(':test@', ':other@'), MS_MAX);
  const says = async () => await claimIdentity(refused, 'm').then(() => '', String);
  await waitUntil(async () => (await says()).includes('WRONGPASS'), MS_MAX, 'a reason');
  refused.disconnect();
});
