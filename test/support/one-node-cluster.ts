/** A Redis Cluster of one master with all slots. */
import { openCommands, untilReady } from '../../src/kit/redis/connection.ts';
import { freePort } from '../../src/tools/start/services/free-port.ts';
import { startTestRedis, type TestService } from './services.ts';
import { waitUntil } from './wait-until.ts';

const READY_MS = 30_000;

/** @param busPort Redis' default is its own port plus 10,000, which may exceed the largest port */
export async function startClusterNode(busPort: number): Promise<TestService> {
  return await startTestRedis({
    settings: {
      ...{ 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' },
      'cluster-port': String(busPort),
    },
  });
}

export async function startOneNodeCluster() {
  await using opened = new AsyncDisposableStack();
  const service = opened.use(await startClusterNode(await freePort()));
  /** A plain connection to the node, without cluster redirections. */
  const node = openCommands(service.url, READY_MS);
  opened.defer(() => node.disconnect());
  await untilReady(node, READY_MS);
  await node.call('CLUSTER', ['ADDSLOTSRANGE', 0, 16_383]);
  const isWhole = async () => (await node.cluster('INFO')).includes('cluster_state:ok');
  await waitUntil(isWhole, READY_MS, 'the cluster');
  const owned = opened.move();
  return {
    ...{ service, node },
    /** URL that lists the node twice, as only a list of nodes names a cluster. */
    url: `${service.url},${service.url}`,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
