/**
 * The server that the pools of one URL reach. After a failover a name, a balancer or a proxy leads to another server while sockets to
 * the old one stay open: it refuses to write, and what only reads would be answered from its past for ever. So each connection
 * learns its server as it opens, the server of the newest connection is the present one, and a connection to any other is closed
 * in place of being used again.
 */
import type pg from 'pg';
import type { Log } from '../metrics/log.ts';

/** Longer: a reader stays on the old server for more than 30 s. Shorter: each process and market costs Postgres more connections. */
const ASK_EVERY_MS = 10_000;

/**
 * No two servers have it in common, and no role lacks the right to read it. A server that is promoted keeps it, and its connections
 * with it; a server that is demoted starts anew.
 */
const SERVER = 'select extract(epoch from pg_postmaster_start_time())::text as server';

export type Server = {
  /** Learns the server of a connection that has just opened. */
  readonly note: (client: pg.ClientBase) => Promise<void>;
  /** False for a connection to another server than that of the newest connection. */
  readonly isPresent: (client: pg.ClientBase) => boolean;
};

export type ServerOptions = {
  /** Shared by the pools of a URL in a process that outlives a failover. */
  readonly server?: Server;
  /** How long an unused connection is kept; 0: for ever. */
  readonly idleTimeoutMs?: number;
};

/**
 * Bounds the use of a connection whose server nobody follows. Longer: a command that reads for hours may read an old server.
 * Shorter: more sessions read the catalog of all months anew.
 */
const LIFETIME_SECONDS = 600;

/** Options of the driver's pool that end connections. */
export function lifetimeOf({ idleTimeoutMs }: ServerOptions) {
  return {
    ...(idleTimeoutMs === undefined ? {} : { idleTimeoutMillis: idleTimeoutMs }),
    // The connection of a probe stays: a probe that had to connect first would take a slow server for a lost one.
    maxLifetimeSeconds: idleTimeoutMs === 0 ? 0 : LIFETIME_SECONDS,
  };
}

export const isOfOther = (client: pg.ClientBase, { server }: ServerOptions): boolean =>
  server?.isPresent(client) === false;

/** Takes a connection to the present server, and closes idle ones to others. */
export async function connectPresent(
  pool: pg.Pool,
  options: ServerOptions,
): Promise<pg.PoolClient> {
  for (;;) {
    const client = await pool.connect();
    if (!isOfOther(client, options)) return client;
    client.release(true);
  }
}

export type FollowedServer = Server & AsyncDisposable;

/** The part of a pool that asks; its connections note their server. */
type Asking = AsyncDisposable & {
  readonly query: (statement: { readonly text: string }) => Promise<unknown>;
};

/**
 * Opens a connection every ASK_EVERY_MS, as pools that are busy reading open none.
 * @param open makes a pool of its own, which closes after one statement
 */
export function followServer(
  open: (server: Server) => Asking,
  log: Pick<Log, 'warn'>,
  everyMs = ASK_EVERY_MS,
): FollowedServer {
  const servers = new WeakMap<pg.ClientBase, string>();
  let present: string | undefined;
  const server: Server = {
    async note(client) {
      const { rows } = await client.query<{ server: string }>(SERVER);
      const found = rows[0]?.server ?? '';
      servers.set(client, found);
      if (present !== undefined && present !== found) {
        log.warn({ startedAt: found }, 'connections now reach another Postgres: older ones close');
      }
      present = found;
    },
    isPresent: (client) => servers.get(client) === present,
  };
  const ask = async () => {
    await using database = open(server);
    // While no connection can be opened, those that are open stay in use.
    await database.query({ text: 'select' }).catch(() => undefined);
  };
  let asking: Promise<void> | undefined;
  const timer = setInterval(() => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
  }, everyMs);
  timer.unref();
  return {
    ...server,
    [Symbol.asyncDispose]: async () => {
      clearInterval(timer);
      await asking;
    },
  };
}
