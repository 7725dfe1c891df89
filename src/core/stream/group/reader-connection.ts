/**
 * A reader's own connection. A blocking read ends by its reply, by CLIENT UNBLOCK, which loses nothing, by a closed connection,
 * or by a deadline, as a client library that lost track of a reply would wait for ever; after the last two, entries on their
 * way stay pending.
 */
import { Cluster, Redis } from 'ioredis';
import { openReader, type RedisClient } from '../../../kit/redis/connection.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { openClusterWaits } from './cluster-waits.ts';
import { awaitEntries, type Read, type ReadOptions, readGroup } from './read-group.ts';

export type OpenReader = ReturnType<typeof openReaderConnection>;

/** Beyond the block and the socket's own timeout of twice the block and a second. */
const DEAF_GRACE_MS = 5000;

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
    readNew: (options: ReadOptions & { readonly blockMs: number }): Promise<Read> =>
      guard(async (client) => {
        const present = await readGroup(client, options);
        if (present.deliveries.length > 0 || present.failed.size > 0) return present;
        const { consumer, streams, blockMs } = options;
        const woken =
          waits === undefined
            ? { ...present, deliveries: await awaitEntries(client, consumer, streams, blockMs) }
            : await waits.awaitAny(consumer, streams, blockMs);
        if (woken.deliveries.length === 0) return woken;
        // A producer that appended to one stream is about to append to others, and half as many batches cost
        // less.
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
