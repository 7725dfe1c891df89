/**
 * A Redis Cluster of three masters and a replica of each, with passwords, an ACL user for the engine, and TLS for clients,
 * replication and the bus. The suite's own connections are plain.
 */
import { join } from 'node:path';
import type { Redis } from 'ioredis';

import { NotRun } from '../../chaos/support/not-run.ts';
import {
  type ChaosServices,
  type ServicesOptions,
  type StartNode,
  startServices,
} from '../../chaos/support/services.ts';
import { openRedisClient } from '../../chaos/support/sessions.ts';
import { findOpenssl, makeCertificates } from '../../support/certificates.ts';
import type { ServiceControl } from '../../support/service-control.ts';
import { waitUntil } from '../../support/wait-until.ts';
import { ACL_USER } from './acl-user.ts';
import { steadyPort } from './steady-port.ts';

export const MASTERS = 3;
/** Password of every Redis that the suite starts. */
export const CLUSTER_PASSWORD = 'chaos';
const SLOTS = 16_384;
/** Seven times shorter than the default, so that a master that dies is replaced within seconds. */
const NODE_TIMEOUT_MS = 2000;
const READY_MS = 30_000;

type Node = {
  readonly control: ServiceControl;
  readonly tlsPort: number;
  readonly busPort: number;
};

export async function startClusterServices(options: ServicesOptions): Promise<ChaosServices> {
  const openssl = findOpenssl();
  if (openssl === undefined) throw new NotRun('openssl is not installed');
  const folder = join(options.folder, 'certificates');
  const { authority, server, key } = await makeCertificates(openssl, folder);
  const tls = {
    ...{ 'tls-cert-file': server, 'tls-key-file': key, 'tls-ca-cert-file': authority },
    ...{ 'tls-auth-clients': 'no', 'tls-cluster': 'yes', 'tls-replication': 'yes' },
  };
  const nodes: Node[] = [];
  return await startServices({
    ...options,
    openRedis: async (startNode) => {
      for (let at = 0; at < 2 * MASTERS; at++) {
        const own = { ...tls, user: ACL_USER.line };
        nodes.push(await startClusterNode(startNode, `redis-${at + 1}`, own));
      }
      await joinAll(nodes);
      const controls = nodes.map(({ control }) => control);
      return { nodes: controls, redisUrl: controls.map(({ url }) => url).join(',') };
    },
    engineUrlsOf: ({ databaseUrl }) => ({
      databaseUrl,
      // The URL lists only masters: the engine has to discover the replicas.
      redisUrl: nodes
        .slice(0, MASTERS)
        .map(
          ({ tlsPort }) =>
            `rediss://${ACL_USER.login}@127.0.0.1:${tlsPort}?sslrootcert=${authority}`,
        )
        .join(','),
    }),
  });
}

async function startClusterNode(
  startNode: StartNode,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<Node> {
  const [tlsPort, busPort] = [await steadyPort(), await steadyPort()];
  const control = await startNode(name, {
    ...{ 'cluster-enabled': 'yes', 'cluster-announce-ip': '127.0.0.1' },
    ...{
      'cluster-port': String(busPort),
      'tls-port': String(tlsPort),
      masterauth: CLUSTER_PASSWORD,
    },
    ...{ 'cluster-node-timeout': String(NODE_TIMEOUT_MS), 'cluster-replica-validity-factor': '0' },
    ...settings,
  });
  return { control, tlsPort, busPort };
}

/** Calls `ask` with a connection to the node itself. */
export async function onNode<T>(
  { url }: Pick<ServiceControl, 'url'>,
  ask: (node: Redis) => Promise<T>,
): Promise<T> {
  const client = openRedisClient(url);
  try {
    return await ask(client);
  } finally {
    client.disconnect();
  }
}

async function joinAll(nodes: readonly Node[]): Promise<void> {
  const [first] = nodes;
  if (first === undefined) throw new Error('nodes were expected');
  const share = Math.ceil(SLOTS / MASTERS);
  for (const [at, { control, tlsPort, busPort }] of nodes.entries()) {
    await onNode(control, async (node) => {
      await node.call('CLUSTER', ['SET-CONFIG-EPOCH', at + 1]);
      const last = Math.min((at + 1) * share, SLOTS) - 1;
      if (at < MASTERS) await node.call('CLUSTER', ['ADDSLOTSRANGE', at * share, last]);
    });
    if (at === 0) continue;
    await onNode(first.control, (node) =>
      node.call('CLUSTER', ['MEET', '127.0.0.1', tlsPort, busPort]),
    );
  }
  await untilAll(nodes, (info) => info.includes(`cluster_known_nodes:${nodes.length}`));
  for (const [at, { control }] of nodes.entries()) {
    if (at < MASTERS) continue;
    const master = nodes[at - MASTERS] as Node;
    const id = await onNode(master.control, (node) => node.call('CLUSTER', ['MYID']));
    await onNode(control, (node) => node.call('CLUSTER', ['REPLICATE', String(id)]));
  }
  await untilAll(nodes, (info) => info.includes('cluster_state:ok'));
  const replicas = nodes.slice(MASTERS).map(({ control }) => control);
  const areInStep = async () => {
    const all = await Promise.all(
      replicas.map((one) => onNode(one, (node) => node.info('replication'))),
    );
    return all.every((info) => info.includes('master_link_status:up'));
  };
  await waitUntil(areInStep, READY_MS, 'replicas to be in step');
}

async function untilAll(nodes: readonly Node[], isSo: (info: string) => boolean): Promise<void> {
  const areAll = async () => {
    const infos = await Promise.all(
      nodes.map(({ control }) => onNode(control, (node) => node.cluster('INFO'))),
    );
    return infos.every((info) => isSo(String(info)));
  };
  await waitUntil(areAll, READY_MS, 'the whole cluster');
}
