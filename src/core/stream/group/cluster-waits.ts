/**
 * Waits for entries on a Redis Cluster. No command spans the slots of several streams, so each stream has a connection to its
 * master, and the first wait that returns an entry ends the others.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { type NodeAddress, openNode, toRedisFailure } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { StreamKeys } from '../keys.ts';
import { awaitEntries, type Delivery, type Read } from './read-group.ts';

/** A stream's connection, with its client id on the master, by which another connection unblocks it. */
type Connection = { readonly client: Redis; readonly id: number; readonly master: NodeAddress };

/** Pause before `CLIENT UNBLOCK` is repeated for a read that had not begun to block. */
const UNBLOCK_AGAIN_MS = 5;

export function openClusterWaits(url: string, blockMs: number, commands: Cluster) {
  const connections = new Map<string, Promise<Connection>>();
  let over = new AbortController();
  const connect = async ({ transactions }: StreamKeys): Promise<Connection> => {
    const master = await findMaster(commands, transactions);
    const client = openNode(url, master, blockMs);
    return { client, id: Number(await client.client('ID')), master };
  };
  const forget = (name: string) => {
    const connection = connections.get(name);
    connections.delete(name);
    connection?.then(({ client }) => client.disconnect()).catch(() => undefined);
  };
  const waitFor = async (
    consumer: string,
    stream: StreamKeys,
    blockMs: number,
    signal: AbortSignal,
  ): Promise<Delivery[]> => {
    const name = stream.transactions;
    try {
      const opened = connections.get(name) ?? connect(stream);
      connections.set(name, opened);
      const connection = await opened;
      if (signal.aborted) return [];
      let isOver = false;
      const end = () => void endRead(commands, connection, () => isOver);
      signal.addEventListener('abort', end, { once: true });
      return await awaitEntries(connection.client, consumer, [stream], blockMs).finally(() => {
        isOver = true;
        signal.removeEventListener('abort', end);
      });
    } catch (error) {
      // The slot may have moved, or the master may be gone: the next wait asks the cluster for the master.
      forget(name);
      throw toRedisFailure(error);
    }
  };
  return {
    /** Waits until a stream has unread entries; `failed` names the streams that could not be waited for. */
    async awaitAny(
      consumer: string,
      streams: readonly StreamKeys[],
      blockMs: number,
    ): Promise<Read> {
      over = new AbortController();
      const { signal } = over;
      const waits = streams.map((stream) => waitFor(consumer, stream, blockMs, signal));
      await Promise.race(waits).catch(() => undefined);
      over.abort();
      const ended = await Promise.allSettled(waits);
      const failed = new Map<StreamKeys, Failure>();
      const deliveries = ended.flatMap((wait, index) => {
        if (wait.status === 'fulfilled') return wait.value;
        failed.set(streams[index] as StreamKeys, toRedisFailure(wait.reason));
        return [];
      });
      return { deliveries, failed };
    },
    /** Ends the wait that is under way; an entry that was delivered meanwhile is still returned. */
    unblock: () => over.abort(),
    close() {
      for (const name of connections.keys()) forget(name);
    },
  };
}

/** Sends `CLIENT UNBLOCK` until the read has ended: one that arrives before the read begins to block has no effect. */
async function endRead(
  commands: Cluster,
  { client, id, master }: Connection,
  isOver: () => boolean,
): Promise<void> {
  while (!isOver()) {
    const node = commands
      .nodes('master')
      .find(({ options }) => options.host === master.host && options.port === master.port);
    const unblocked = await node?.client('UNBLOCK', id).catch(() => undefined);
    if (unblocked === 1) return;
    // Entries that were delivered meanwhile stay pending, and are drained after the error.
    if (unblocked === undefined) return client.disconnect();
    await sleep(UNBLOCK_AGAIN_MS);
  }
}

/** The master that serves a key's slot. @throws Failure */
async function findMaster(commands: Cluster, key: string): Promise<NodeAddress> {
  const [slot, ranges] = await Promise.all([
    commands.cluster('KEYSLOT', key),
    commands.cluster('SLOTS'),
  ]);
  for (const [first, last, master] of ranges) {
    if (master !== undefined && first <= slot && slot <= last) {
      return { host: master[0], port: master[1] };
    }
  }
  throw new Failure('unavailable', 'REDIS_CLUSTERDOWN', `no node has slot ${slot}`);
}
