/**
 * A proxy between the engine and a service: delays packets, resets connections, goes silent without closing
 * anything, or cuts a connection or acts when certain bytes pass. One fault at a time, until `heal`.
 */
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type ProxyFault =
  /** Every packet waits this long, each way. */
  | { readonly kind: 'latency'; readonly ms: number }
  /** Every packet arrives this much later, however many are under way: half of the round trip of a network. */
  | { readonly kind: 'distance'; readonly ms: number }
  /** Connections are reset, and so are new ones. After bytes: one connection alone, once an answer has more. */
  | { readonly kind: 'reset'; readonly afterBytes?: number }
  /** Half open: connections stay, and are accepted, but nothing passes any more, from an answer with more bytes on. */
  | { readonly kind: 'silence'; readonly afterBytes?: number }
  /** The bytes of a client are held back where `at` first occurs, until `act` is done. */
  | { readonly kind: 'hold'; readonly at: string; readonly act: () => Promise<unknown> }
  /**
   * Cuts a connection when the client sends these bytes; `forwarded`: the service receives them and only
   * its answer is lost.
   */
  | {
      readonly kind: 'cut';
      readonly at: string;
      readonly forwarded: boolean;
      readonly times: number;
    };

export type TcpProxy = Awaited<ReturnType<typeof startTcpProxy>>;

/** How long a forwarded message gets to take effect before the connection drops. */
const EFFECT_MS = 100;

type Link = {
  readonly client: Socket;
  readonly upstream: Socket;
  isCut: boolean;
  isMute: boolean;
  answeredBytes: number;
};

export async function startTcpProxy(target: string) {
  let service = new URL(target);
  const links = new Set<Link>();
  let fault: ProxyFault | undefined;
  let effects = 0;

  const drop = (link: Link) => {
    link.client.resetAndDestroy();
    link.upstream.destroy();
  };
  const cutAt = (link: Link, data: Buffer): boolean => {
    if (fault?.kind !== 'cut' || effects >= fault.times || !data.includes(fault.at)) return false;
    effects++;
    link.isCut = true;
    if (!fault.forwarded) {
      drop(link);
      return true;
    }
    link.upstream.write(data);
    link.client.resetAndDestroy();
    setTimeout(() => drop(link), EFFECT_MS);
    return true;
  };
  const hold = async (data: Buffer): Promise<void> => {
    if (fault?.kind !== 'hold' || effects > 0 || !data.includes(fault.at)) return;
    effects++;
    await fault.act();
  };
  /** Whether the fault begins within an answer, and has not begun. */
  const isYetToBegin = () => fault !== undefined && 'afterBytes' in fault && effects === 0;
  const isBroken = (link: Link): boolean => {
    if (fault?.kind !== 'reset' || link.answeredBytes <= (fault.afterBytes ?? Infinity))
      return false;
    if (!isYetToBegin()) return false;
    effects++;
    drop(link);
    return true;
  };
  const isSilent = ({ isMute, answeredBytes }: Link): boolean => {
    if (isMute || fault?.kind !== 'silence') return isMute;
    return !isYetToBegin() || answeredBytes > (fault.afterBytes ?? 0);
  };
  const pass = async (link: Link, to: Socket, data: Buffer, sentMs: number): Promise<void> => {
    if (link.isCut || isBroken(link)) return;
    if (to === link.client) link.answeredBytes += data.length;
    if (isSilent(link)) {
      effects++;
      link.isMute = true;
      return;
    }
    if (fault?.kind === 'latency') {
      effects++;
      await delay(fault.ms);
    }
    if (fault?.kind === 'distance') {
      effects++;
      await delay(Math.max(0, sentMs + fault.ms - performance.now()));
    }
    if (!to.destroyed) to.write(data);
  };
  const server = createServer({ noDelay: true }, (client) => {
    if (fault?.kind === 'reset' && fault.afterBytes === undefined) {
      effects++;
      client.resetAndDestroy();
      return;
    }
    const upstream = connect({
      ...{ port: Number(service.port), host: service.hostname, noDelay: true },
    });
    const link = { client, upstream, isCut: false, isMute: false, answeredBytes: 0 };
    links.add(link);
    for (const socket of [client, upstream]) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        links.delete(link);
        if (link.isCut) return;
        client.destroy();
        upstream.destroy();
      });
    }
    // Packets stay in order, whatever their delay.
    let sent = Promise.resolve();
    let answered = Promise.resolve();
    client.on('data', (data) => {
      if (cutAt(link, data)) return;
      const atMs = performance.now();
      sent = sent.then(() => hold(data)).then(() => pass(link, upstream, data, atMs));
    });
    upstream.on('data', (data) => {
      const atMs = performance.now();
      answered = answered.then(() => pass(link, client, data, atMs));
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, '127.0.0.1', resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const proxied = new URL(target);
  proxied.host = `127.0.0.1:${address.port}`;
  return {
    /** The target's url with the proxy's address. */
    url: proxied.href,
    inflict: (next: ProxyFault) => {
      fault = next;
      effects = 0;
      if (next.kind !== 'reset' || next.afterBytes !== undefined) return;
      effects = links.size;
      for (const link of links) drop(link);
    },
    heal: () => {
      fault = undefined;
      // A silent connection stays silent: its user must notice by itself.
    },
    /** New connections go to another service; those that are open stay where they are. */
    leadTo: (next: string) => {
      service = new URL(next);
    },
    /** How often the present fault took effect: packets delayed or swallowed, connections reset or cut. */
    effects: () => effects,
    [Symbol.asyncDispose]: async () => {
      for (const link of links) {
        link.client.destroy();
        link.upstream.destroy();
      }
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      await closed.promise;
    },
  };
}
