/** The suite's own sessions in Postgres and Redis, which live through whatever happens to both. */
import { setTimeout as delay } from 'node:timers/promises';
import { Cluster, Redis } from 'ioredis';
import pg from 'pg';
import { MARKET, marketUrl } from '../../../bench/support/market.ts';
import { type Database, openPool } from '../../../src/kit/database/pool.ts';

export type Query = <R extends pg.QueryResultRow>(
  sql: string,
  values?: readonly unknown[],
) => Promise<R[]>;

export type ServiceUrls = { readonly databaseUrl: string; readonly redisUrl: string };

const QUERY_PATIENCE_MS = 60_000;
const QUERY_RETRY_MS = 100;

/** The suite's own sessions. */
export function openSessions({ databaseUrl, redisUrl }: ServiceUrls) {
  // Idle sessions stay open: a scenario that takes all slots must leave the suite its own.
  const pool = new pg.Pool({
    ...{ connectionString: marketUrl(databaseUrl), max: 2, idleTimeoutMillis: 0 },
    application_name: 'chaos',
  });
  pool.on('error', () => undefined);
  const client = openClient(redisUrl);
  return {
    ...{ pool, client },
    async [Symbol.asyncDispose]() {
      client.disconnect();
      await pool.end();
    },
  };
}

const CONNECT_MS = 5000;
const STATEMENT_MS = 120_000;

/** The database as the engine opens it, for statements that name the schema of a market. */
export function openMarket(url: string): Database & AsyncDisposable {
  return openPool({
    ...{ url, market: MARKET, role: 'chaos', connectionsMax: 1, namedStatements: true },
    ...{ connectTimeoutMs: CONNECT_MS, statementTimeoutMs: STATEMENT_MS },
  });
}

const PATIENT = { protocol: 2, maxRetriesPerRequest: null } as const;

export function openRedisClient(url: string): Redis {
  const client = new Redis(url, PATIENT);
  client.on('error', () => undefined);
  return client;
}

/** @param url nodes of a cluster are separated by commas, and have one password */
export function openClient(url: string): Redis | Cluster {
  const nodes = url.split(',');
  const [first = ''] = nodes;
  if (nodes.length === 1) return openRedisClient(url);
  const redisOptions = { ...PATIENT, password: new URL(first).password };
  const client = new Cluster(nodes, { redisOptions });
  client.on('error', () => undefined);
  return client;
}

/** @param poolOf asked at each try, as another server may answer the next one */
export function patientQuery(
  poolOf: () => pg.Pool,
  signal: AbortSignal,
  outageMsMax = QUERY_PATIENCE_MS,
): Query {
  return async (sql, values) => {
    const deadline = performance.now() + outageMsMax;
    for (;;) {
      try {
        return (await poolOf().query(sql, values === undefined ? [] : [...values])).rows;
      } catch (error) {
        if (isOurMistake(error) || performance.now() > deadline) throw error;
        await delay(QUERY_RETRY_MS, undefined, { signal });
      }
    }
  };
}

/** SQLSTATE classes 22 (data), 23 (constraints) and 42 (syntax, names). */
function isOurMistake(error: unknown): boolean {
  return error instanceof pg.DatabaseError && /^(22|23|42)/.test(error.code ?? '');
}
