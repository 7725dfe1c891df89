/**
 * A reader's own connection. A blocking read ends by its reply, by CLIENT UNBLOCK, which loses nothing, by a closed connection,
 * or by a deadline, as a client library that lost track of a reply would wait for ever; after the last two, entries on their
 * way stay pending.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import {
  type NodeAddress,
  openNode,
  openReader,
  type RedisClient,
  toRedisFailure,
} from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { type StreamKeys, tagOf } from '../keys.ts';
import {
  awaitEntries,
  type Delivery,
  type Read,
  type ReadOptions,
  readGroup,
} from './read-group.ts';

/** `isQuiet`: recent reads found little, so the read begins with the wait. */
type NewOptions = ReadOptions & { readonly blockMs: number; readonly isQuiet: boolean };

export type OpenReader = ReturnType<typeof openReaderConnection>;

/** Beyond the block and the socket's own timeout of twice the block and a second. */
const DEAF_GRACE_MS = 5000;

/** A stream's connection, with its client id on the master, by which another connection unblocks it. */
type Connection = { readonly client: Redis; readonly id: number; readonly master: NodeAddress };

/** Pause before `CLIENT UNBLOCK` is repeated for a read that had not begun to block. */
const UNBLOCK_AGAIN_MS = 5;

/** @param commands a connection that never blocks, through which the server is asked */
export function openReaderConnection(url: string, blockMs: number, commands: RedisClient) {
  let current = connect(url, blockMs);
  const waits = commands instanceof Cluster ? openClusterWaits(url, blockMs, commands) : undefined;
  // Each read has a promise of its own: a promise that outlives reads would retain every reply that it was raced
  // against.
  let giveUp: ((failure: Failure) => void) | undefined;
  let isClosed = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    giveUp?.(readerClosed());
    current.client.disconnect();
    waits?.close();
  };
  const guard = async <T>(read: (client: RedisClient) => Promise<T>): Promise<T> => {
    if (isClosed) throw readerClosed();
    const givenUp = Promise.withResolvers<never>();
    giveUp = givenUp.reject;
    const timer = setTimeout(
      () => {
        // A new client replaces the old one, whose waits are lost.
        current.client.disconnect();
        waits?.close();
        current = connect(url, blockMs);
        givenUp.reject(new Failure('unavailable', 'READER_DEAF', 'a read did not end in time'));
      },
      3 * blockMs + DEAF_GRACE_MS,
    );
    try {
      return await Promise.race([read(current.client), givenUp.promise]);
    } finally {
      clearTimeout(timer);
      giveUp = undefined;
    }
  };
  return {
    /** Reads what is there now; if nothing is, waits for the first entries and reads those that arrived with them. */
    readNew: (options: NewOptions): Promise<Read> =>
      guard(async (client) => {
        if (!options.isQuiet) {
          const present = await readGroup(client, options);
          if (present.deliveries.length > 0 || present.failed.size > 0) return present;
        }
        if (waits === undefined) return await waitAndRead(client, options);
        const woken = await waits.awaitAny(options.consumer, options.streams, options.blockMs);
        if (woken.deliveries.length === 0) return woken;
        return joinReads(woken, await readGroup(client, options));
      }),
    readOwn: (options: ReadOptions, after: string) =>
      guard((client) => readGroup(client, options, after)),
    async unblock(): Promise<void> {
      const { client, id } = current;
      if (waits !== undefined) waits.unblock();
      // Without a connection there is nothing to unblock, and no reply would come.
      else if (client.status !== 'ready') close();
      else if (id() !== undefined) await commands.client('UNBLOCK', id() ?? 0);
    },
    close,
    [Symbol.asyncDispose]: async () => close(),
  };
}

/**
 * Waits for the first entries, then reads the entries that a producer appends to other streams at that time: half as many batches cost
 * less. Both commands are sent at once: the server runs the second after the first, and the worker wakes up once in place of twice.
 */
async function waitAndRead(client: RedisClient, options: NewOptions): Promise<Read> {
  const { consumer, streams, blockMs } = options;
  const [woken, read] = await Promise.allSettled([
    awaitEntries(client, consumer, streams, blockMs),
    readGroup(client, options),
  ]);
  if (read.status === 'rejected') throw read.reason;
  if (woken.status === 'fulfilled') {
    return joinReads({ deliveries: woken.value, failed: new Map() }, read.value);
  }
  // A stream that fails ends the wait for all streams; the read says which stream failed.
  if (read.value.failed.size === 0) throw woken.reason;
  return read.value;
}

/** Merges a stream's entries of several reads in their order. */
function joinReads(woken: Read, { deliveries, failed }: Read): Read {
  const first = new Map(woken.deliveries.map((delivery) => [delivery.stream, delivery]));
  const joined = deliveries.map((delivery) => {
    const before = first.get(delivery.stream)?.entries ?? [];
    first.delete(delivery.stream);
    return { ...delivery, entries: [...before, ...delivery.entries] };
  });
  return {
    deliveries: [...first.values(), ...joined],
    failed: new Map([...woken.failed, ...failed]),
  };
}

function readerClosed(): Failure {
  return new Failure('unavailable', 'READER_CLOSED', 'the reader was closed');
}

/** `id` is the server's name for the connection; asked for before its first read, which would hold it up. */
function connect(url: string, blockMs: number) {
  const client = openReader(url, blockMs);
  let clientId: number | undefined;
  client.on('close', () => {
    clientId = undefined;
  });
  client.on('ready', () => {
    if (!(client instanceof Redis)) return;
    client.client('ID').then(
      (id) => {
        clientId = Number(id);
      },
      () => undefined,
    );
  });
  return { client, id: () => clientId };
}

/**
 * Waits for entries on a Redis Cluster. No command spans slots, so the streams of each slot have a connection to their
 * master, and the first wait that returns an entry ends the others.
 */
function openClusterWaits(url: string, blockMs: number, commands: Cluster) {
  const connections = new Map<string, Promise<Connection>>();
  let over = new AbortController();
  const connect = async (key: string): Promise<Connection> => {
    const master = await findMaster(commands, key);
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
    tag: string,
    streams: readonly StreamKeys[],
    blockMs: number,
    signal: AbortSignal,
  ): Promise<Delivery[]> => {
    try {
      const opened = connections.get(tag) ?? connect(streams[0]?.transactions ?? '');
      connections.set(tag, opened);
      const connection = await opened;
      if (signal.aborted) return [];
      let isOver = false;
      const end = () => void endRead(commands, connection, () => isOver);
      signal.addEventListener('abort', end, { once: true });
      return await awaitEntries(connection.client, consumer, streams, blockMs).finally(() => {
        isOver = true;
        signal.removeEventListener('abort', end);
      });
    } catch (error) {
      // The slot may have moved, or the master may be gone: the next wait asks the cluster for the master.
      forget(tag);
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
      const groups = [...Map.groupBy(streams, tagOf)];
      const waits = groups.map(([tag, group]) => waitFor(consumer, tag, group, blockMs, signal));
      await Promise.race(waits).catch(() => undefined);
      over.abort();
      const ended = await Promise.allSettled(waits);
      const failed = new Map<StreamKeys, Failure>();
      const deliveries = ended.flatMap((wait, index) => {
        if (wait.status === 'fulfilled') return wait.value;
        for (const stream of groups[index]?.[1] ?? [])
          failed.set(stream, toRedisFailure(wait.reason));
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
