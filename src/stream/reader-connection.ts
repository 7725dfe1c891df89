/**
 * A reader's own connection, with the two ways to end its blocking read: asking the server, which loses
 * nothing, and closing the connection, after which what was on its way stays pending.
 */
import { Redis } from 'ioredis';
import { openReader, type RedisClient } from './connection.ts';
import { type Delivery, type ReadOptions, readNew, readOwn } from './consumer-group.ts';

export type OpenReader = {
  readonly readNew: (options: ReadOptions) => Promise<Delivery[]>;
  readonly readOwn: (options: ReadOptions, after: string) => Promise<Delivery[]>;
  readonly unblock: () => Promise<void>;
  readonly close: () => void;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** @param commands a connection that is never blocked, through which the server is asked */
export function openReaderConnection(
  url: string,
  blockMs: number,
  commands: RedisClient,
): OpenReader {
  const client = openReader(url, blockMs);
  // Asked for before the first read of each connection, so it never waits behind a blocking one.
  let clientId: number | undefined;
  client.on('ready', () => {
    if (!(client instanceof Redis)) return;
    client.client('ID').then(
      (id) => {
        clientId = Number(id);
      },
      () => undefined,
    );
  });
  return {
    readNew: (options) => readNew(client, options),
    readOwn: (options, after) => readOwn(client, options, after),
    async unblock() {
      if (client instanceof Redis && client.status !== 'ready') client.disconnect(false);
      // On a cluster the node that blocks is not known; the read ends by itself within its block time.
      else if (clientId !== undefined) await commands.client('UNBLOCK', clientId);
    },
    close: () => client.disconnect(),
    [Symbol.asyncDispose]: async () => client.disconnect(),
  };
}
