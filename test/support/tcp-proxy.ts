/**
 * A proxy between a client and a service that a test can cut at a chosen moment: when the client sends
 * certain bytes, before or after they reach the service. The answer never comes back.
 */
import { connect, createServer, type Socket } from 'node:net';

export type Cut = {
  /** Bytes from the client that spring the trap. */
  readonly at: string;
  /** True: the service receives them, only its answer is lost. */
  readonly forwarded: boolean;
  /** How many times. */
  readonly times: number;
};

export type TcpProxy = {
  /** The target's url with the proxy's address. */
  readonly url: string;
  arm(cut: Cut): void;
  /** How often it has cut. */
  cuts(): number;
  /** Refuses and drops all connections until `heal`. */
  sever(): void;
  heal(): void;
  [Symbol.asyncDispose](): Promise<void>;
};

/** How long a forwarded message gets to take effect before the connection drops. */
const EFFECT_MS = 200;

export async function startTcpProxy(target: string): Promise<TcpProxy> {
  const service = new URL(target);
  const sockets = new Set<Socket>();
  let cut: Cut | undefined;
  let left = 0;
  let made = 0;
  let isSevered = false;
  const server = createServer((client) => {
    if (isSevered) {
      client.destroy();
      return;
    }
    const upstream = connect(Number(service.port), service.hostname);
    let isDead = false;
    const drop = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', drop);
      socket.on('close', () => {
        sockets.delete(socket);
        if (!isDead) drop();
      });
    }
    client.on('data', (data) => {
      if (cut !== undefined && left > 0 && data.includes(cut.at)) {
        left -= 1;
        made += 1;
        isDead = true;
        if (!cut.forwarded) {
          drop();
          return;
        }
        upstream.write(data);
        client.destroy();
        setTimeout(drop, EFFECT_MS);
        return;
      }
      if (!isDead) upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (!isDead) client.write(data);
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const proxied = new URL(target);
  proxied.host = `127.0.0.1:${address.port}`;
  const dropAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: proxied.href,
    arm: (next) => {
      cut = next;
      left = next.times;
    },
    cuts: () => made,
    sever: () => {
      isSevered = true;
      dropAll();
    },
    heal: () => {
      isSevered = false;
    },
    [Symbol.asyncDispose]: async () => {
      dropAll();
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
