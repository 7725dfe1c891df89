/** A Redis Cluster of one master with all slots. */
import { freePort } from '../../src/embedded/free-port.ts';
import { openCommands, type RedisClient, untilReady } from '../../src/stream/connection.ts';
import { startTestRedis, type TestService } from './services.ts';
import { waitUntil } from './wait-until.ts';

export type OneNodeCluster = AsyncDisposable & {
  readonly service: TestService;
  /** Makes a list of it, which is what names a cluster. */
  readonly url: string;
  /** Its node, asked without the ways of a cluster. */
  readonly node: RedisClient;
};

const READY_MS = 30_000;

/** @param busPort by default Redis takes one 10,000 above its own, of which there may be none */
export async function startClusterNode(busPort: number): Promise<TestService> {
  return await startTestRedis({
    settings: {
      ...{ 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' },
      'cluster-port': String(busPort),
    },
  });
}

export async function startOneNodeCluster(): Promise<OneNodeCluster> {
  await using opened = new AsyncDisposableStack();
  const service = opened.use(await startClusterNode(await freePort()));
  const node = openCommands(service.url, READY_MS);
  opened.defer(() => node.disconnect());
  await untilReady(node, READY_MS);
  await node.call('CLUSTER', ['ADDSLOTSRANGE', 0, 16_383]);
  const isWhole = async () => (await node.cluster('INFO')).includes('cluster_state:ok');
  await waitUntil(isWhole, READY_MS, 'the cluster');
  const owned = opened.move();
  return {
    ...{ service, node, url: `${service.url},${service.url}` },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
