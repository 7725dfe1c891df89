/**
 * A reader's own connection. Three things end a blocking read besides its reply: asking the server to
 * unblock it, which loses nothing; closing the connection; and a deadline far beyond the block, because a
 * client library that lost track of a reply would leave the reader deaf for ever. After the last two,
 * what was on its way stays pending and is drained or claimed.
 */
import { Redis } from 'ioredis';
import { Failure } from '../domain/failure.ts';
import { openReader, type RedisClient } from './connection.ts';
import {
  type Delivery,
  loadReadScript,
  type ReadOptions,
  readJoined,
  readNew,
  readOwn,
} from './read-group.ts';

export type OpenReader = {
  readonly readNew: (options: ReadOptions) => Promise<Delivery[]>;
  readonly readOwn: (options: ReadOptions, after: string) => Promise<Delivery[]>;
  readonly unblock: () => Promise<void>;
  readonly close: () => void;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** Beyond the block and the socket's own timeout of twice the block and a second. */
const DEAF_GRACE_MS = 5000;
/**
 * A read that brings as many entries, or all that it asks a stream for, is followed by one that does not block,
 * costs less an entry and asks each stream for its share.
 */
const BUSY_ENTRIES = 32;

/** @param commands a connection that is never blocked, through which the server is asked */
export function openReaderConnection(
  url: string,
  blockMs: number,
  commands: RedisClient,
): OpenReader {
  const readScript = loadReadScript();
  let current = connect(url, blockMs);
  // One promise a read: a promise that outlives reads would keep every reply that was raced against it.
  let giveUp: ((failure: Failure) => void) | undefined;
  let isClosed = false;
  let isBusy = false;
  const close = () => {
    if (isClosed) return;
    isClosed = true;
    giveUp?.(readerClosed());
    current.client.disconnect();
  };
  const guard = async <T>(read: (client: RedisClient) => Promise<T>): Promise<T> => {
    if (isClosed) throw readerClosed();
    const givenUp = Promise.withResolvers<never>();
    giveUp = givenUp.reject;
    const timer = setTimeout(
      () => {
        // A new client in its place: nothing is known of what the old one still waits for.
        current.client.disconnect();
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
    readNew: (options) =>
      guard(async (client) => {
        const joined = isBusy ? await readJoined(client, readScript, options) : [];
        const deliveries = joined.length > 0 ? joined : await readNew(client, options);
        const entries = deliveries.reduce((sum, delivery) => sum + delivery.entries.length, 0);
        isBusy = entries >= Math.min(BUSY_ENTRIES, options.entriesMax);
        return deliveries;
      }),
    readOwn: (options, after) => guard((client) => readOwn(client, options, after)),
    async unblock() {
      const { client, id } = current;
      // Without a connection there is nothing to unblock, and no reply would come.
      if (client.status !== 'ready') close();
      // On a cluster the node that blocks is not known; the read ends by itself within its block time.
      else if (id() !== undefined) await commands.client('UNBLOCK', id() ?? 0);
    },
    close,
    [Symbol.asyncDispose]: async () => close(),
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
