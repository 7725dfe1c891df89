/**
 * Redis Cluster: masters fail over to their replicas, by command and by death. Each fail-over interrupts the
 * engine's commands there, and nothing may be lost or doubled.
 */
import type { Plan, Scenario, Stage } from '../chaos/support/scenario.ts';
import type { ServiceControl } from '../support/service-control.ts';
import {
  CLUSTER_PASSWORD,
  MASTERS,
  onNode,
  startClusterServices,
} from './support/redis-cluster.ts';

const BETWEEN_MS = 3000;

async function isMaster(node: ServiceControl): Promise<boolean> {
  return (await onNode(node, (client) => client.info('replication'))).includes('role:master');
}

/** Waits until the replica has become a master, and all slots are served. */
async function untilPromoted(stage: Stage, replica: ServiceControl): Promise<void> {
  await stage.until('the replica is a master', async () => await isMaster(replica));
  await stage.until('all slots are served', async () => {
    const info = await onNode(replica, (client) => client.cluster('INFO'));
    return String(info).includes('cluster_state:ok');
  });
}

function pair({ services }: Stage, at: number): [ServiceControl, ServiceControl] {
  const [master, replica] = [services.redisNodes[at], services.redisNodes[at + MASTERS]];
  if (master === undefined || replica === undefined) throw new Error(`there is no pair ${at}`);
  return [master, replica];
}

const failOver: Plan = {
  schedule: ['CLUSTER FAILOVER of the first master', 'kill -9 of the second master'],
  faults: ['failover by order', 'master killed'],
  run: async (stage) => {
    await stage.pause(BETWEEN_MS);
    const [, successor] = pair(stage, 0);
    await onNode(successor, (client) => client.cluster('FAILOVER'));
    await untilPromoted(stage, successor);
    stage.happened('failover by order');
    await stage.pause(BETWEEN_MS);
    const [victim, heir] = pair(stage, 1);
    await victim.end('SIGKILL');
    await untilPromoted(stage, heir);
    stage.happened('master killed');
    await victim.start();
    await stage.pause(BETWEEN_MS);
  },
};

/** Freezes a master: clients do not notice that it is gone, and it carries out their commands later, when it is replaced. */
const freeze: Plan = {
  schedule: ['the third master stands still until it has been replaced'],
  faults: ['master frozen'],
  run: async (stage) => {
    await stage.pause(BETWEEN_MS);
    const [frozen, heir] = pair(stage, 2);
    // Until the master learns that it was replaced, it takes entries that it will drop; their events go with them.
    stage.ledger.note({ kind: 'wiped' });
    frozen.pause();
    await untilPromoted(stage, heir);
    stage.happened('master frozen');
    await stage.pause(BETWEEN_MS);
    frozen.resume();
    await stage.pause(BETWEEN_MS);
  },
};

/** Cuts the replica off its master for a while, then lets it take over with its data. */
const staleReplica: Plan = {
  schedule: ['the replica of the third master stays behind for 3 s', 'kill -9 of that master'],
  faults: ['stale replica promoted'],
  run: async (stage) => {
    await stage.pause(BETWEEN_MS);
    const [master, replica] = pair(stage, 2);
    await onNode(replica, async (client) => {
      await client.config('SET', 'masterauth', 'wrong');
      await client.call('CLIENT', ['KILL', 'TYPE', 'master']);
    });
    await stage.pause(BETWEEN_MS);
    const missing = (await offsetOf(master)) - (await offsetOf(replica));
    stage.bar('bytes that the promoted replica lacks', missing, { atLeast: 1 });
    // Events that only the dead master had may be missing.
    stage.ledger.note({ kind: 'wiped' });
    await master.end('SIGKILL');
    await untilPromoted(stage, replica);
    stage.happened('stale replica promoted');
    await onNode(replica, (client) => client.config('SET', 'masterauth', CLUSTER_PASSWORD));
    await master.start();
    await stage.pause(BETWEEN_MS);
  },
};

/** Replication offset of a node, as master or as replica. */
async function offsetOf(node: ServiceControl): Promise<number> {
  const info = await onNode(node, (client) => client.info('replication'));
  const field = info.includes('role:master') ? 'master_repl_offset' : 'slave_repl_offset';
  return Number(new RegExp(`^${field}:(\\d+)`, 'm').exec(info)?.[1]);
}

export const cluster: readonly Scenario[] = [
  {
    name: 'cluster',
    what: 'Redis Cluster, three masters and three replicas, with passwords, an ACL user and TLS',
    setup: { countersExact: false },
    startServices: startClusterServices,
    plan: () => failOver,
  },
  {
    name: 'cluster-frozen',
    what: 'the same, and a master stands still until it has been replaced',
    setup: { countersExact: false },
    startServices: startClusterServices,
    plan: () => freeze,
  },
  {
    name: 'cluster-stale',
    what: 'the same, and a replica takes over that lacks the last seconds',
    setup: { countersExact: false },
    startServices: startClusterServices,
    plan: () => staleReplica,
  },
];
