/** Opens a pool by the process's configuration, for every role and command. */
import type { Config } from '../config/config.ts';
import type { Log } from '../metrics/log.ts';
import { openTurns } from '../process/turns.ts';
import { Failure } from '../words/failure.ts';
import { type Database, openPool, POOL_BUSY, type PoolOptions, type Query } from './pool.ts';
import { type FollowedServer, followServer } from './server.ts';

/** Deadline of the probe's statements; the probe itself is given up earlier. */
const PROBE_MS = 2000;
/** A login at a distant server takes three round trips, after the wait for an address that is dead. */
const probeDeadlines = ({ RISK_CONNECT_TIMEOUT_MS }: Config) => ({
  connectTimeoutMs: Math.max(PROBE_MS, RISK_CONNECT_TIMEOUT_MS),
  statementTimeoutMs: PROBE_MS,
});

/**
 * A search follows an index and ends after its first rows. Without statistics, as for a month whose rows have just arrived,
 * Postgres expects next to no rows and sorts all rows for each page: 480 ms a page in place of 4 for an account of 400,000.
 */
const INDEX_ORDER = {
  enable_sort: 'off',
  // The bound of rows that are looked at has a cost for which a server with JIT would compile each page, for longer than the page takes.
  jit: 'off',
};

/** Longer than a person reads a page: a new connection has to read the catalog of all months anew. */
const IDLE_MS_MAX = 5 * 60 * 1000;

type Sizes = Pick<Config, 'RISK_DATABASE_CONNECTIONS_MAX' | 'RISK_EXPORTS_MAX'>;

/** The connection that proves that Postgres takes writes; beside it, the short one that asks which server is reached. */
const PROBES = 1;

/** Pools of an API process, by name. */
const API = {
  api: (config: Sizes) => config.RISK_DATABASE_CONNECTIONS_MAX,
  'api-searches': (config: Sizes) => Math.ceil(config.RISK_DATABASE_CONNECTIONS_MAX / 2),
  'api-exports': (config: Sizes) => config.RISK_EXPORTS_MAX,
  'api-probe': () => PROBES,
  'api-server': () => PROBES,
} as const;

/** Pools that each process opens, by the server. */
const POOLS = {
  api: API,
  worker: {
    worker: API.api,
    'worker-probe': API['api-probe'],
    'worker-server': API['api-server'],
  },
  /** A connection that works while another one holds the lock. */
  trainer: {
    trainer: () => 2,
    'trainer-probe': API['api-probe'],
  },
  /** An API process, on the replica. */
  replica: {
    api: API.api,
    'api-searches': API['api-searches'],
    'api-replica-probe': API['api-probe'],
  },
} as const;

type Process = keyof typeof POOLS;
export type PoolName = { [Name in Process]: keyof (typeof POOLS)[Name] }[Process];

const SIZES: Readonly<Record<string, ((config: Sizes) => number) | undefined>> = Object.assign(
  {},
  ...Object.values(POOLS),
);

/** Whether connections go through a transaction-pooling proxy. */
export const isPooled = ({ RISK_DATABASE_POOLER }: Config) =>
  RISK_DATABASE_POOLER === 'transaction';

/** @param more options that differ for the role */
export function openDatabase(
  config: Config,
  url: string,
  role: string,
  more: Partial<PoolOptions> = {},
): Database {
  return openPool({
    url,
    market: config.RISK_MARKET,
    role,
    connectionsMax: poolSize(config, role) ?? config.RISK_DATABASE_CONNECTIONS_MAX,
    connectTimeoutMs: config.RISK_CONNECT_TIMEOUT_MS,
    statementTimeoutMs: config.RISK_STATEMENT_TIMEOUT_MS,
    namedStatements: config.RISK_DATABASE_POOLER === 'none',
    isPooled: isPooled(config),
    ...more,
  });
}

/**
 * Polls are sent one at a time, transactions too, so that `prove` waits behind a single poll: behind three polls of 300 ms a proof came
 * too late. A poll that has waited for PROBE_MS fails, so that an outage leaves no queue of old polls.
 */
export type Probe = Database & { readonly prove: Query };

/**
 * Opens a connection for the probe of whether Postgres takes writes: the probe must not wait behind work that
 * may be the trouble, nor be refused by a breaker. It stays open, as connecting takes longer than asking.
 */
export function openProbe(
  config: Config,
  url: string,
  role: string,
  more: Pick<PoolOptions, 'setting' | 'server'> = {},
): Probe {
  const database = openDatabase(config, url, `${role}-probe`, {
    connectionsMax: PROBES,
    idleTimeoutMs: 0,
    ...probeDeadlines(config),
    ...more,
  });
  const { inTurn } = openTurns();
  const poll = <T>(send: () => Promise<T>): Promise<T> => {
    const askedMs = performance.now();
    return inTurn(() => {
      if (performance.now() - askedMs < PROBE_MS) return send();
      throw new Failure('unavailable', POOL_BUSY, `a poll waited for ${PROBE_MS} ms`);
    });
  };
  return {
    ...database,
    query: (...asked) => poll(() => database.query(...asked)),
    transaction: (...asked) => poll(() => database.transaction(...asked)),
    prove: database.query,
  };
}

/** Follows which server a URL leads to, for all pools of a process on this URL. */
export function followServerOf(
  config: Config,
  url: string,
  role: 'api' | 'worker',
  log: Pick<Log, 'warn'>,
): FollowedServer {
  return followServer(
    (server) => openDatabase(config, url, `${role}-server`, { ...probeDeadlines(config), server }),
    log,
  );
}

/** The connections of searches. */
export function openOrderedDatabase(
  config: Config,
  url: string,
  guard: NonNullable<PoolOptions['guard']>,
  more: Pick<PoolOptions, 'setting' | 'server'> = {},
): Database {
  return openDatabase(config, url, 'api-searches', {
    idleTimeoutMs: IDLE_MS_MAX,
    settings: INDEX_ORDER,
    guard,
    ...more,
  });
}

/**
 * The budget of connections to Postgres: the sizes of all pools that a process opens, which `openDatabase` reads here.
 * Connections of a pool at most; undefined for a pool of a command.
 */
const poolSize = (config: Sizes, name: string): number | undefined => SIZES[name]?.(config);

/** Connections that each process opens at most. */
export function countConnections(config: Sizes): Readonly<Record<Process, number>> {
  const counts = Object.entries(POOLS).map(([name, pools]) => [
    name,
    Object.values<(config: Sizes) => number>(pools).reduce((all, size) => all + size(config), 0),
  ]);
  return Object.fromEntries(counts);
}
