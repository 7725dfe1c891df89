/**
 * The connection to Postgres: one pool a process and market. Statements carry a name, so the server
 * plans them once a connection; every call ends within the statement timeout. Driver errors leave
 * this folder only as Failures.
 */
import pg from 'pg';
import { toFailure } from './pg-failure.ts';

/** A statement written once, as a constant named after its operation. */
export type Statement = { readonly name: string; readonly text: string };

export type Query = <Row extends object>(
  statement: Statement,
  values?: readonly unknown[],
) => Promise<Row[]>;

export type Database = {
  readonly query: Query;
  /** Runs `work` between begin and commit; anything it throws rolls back and is thrown on. */
  readonly transaction: <T>(work: (query: Query) => Promise<T>) => Promise<T>;
  /** A connection of its own, for COPY, advisory locks and cursors. */
  readonly session: <T>(work: (client: pg.PoolClient) => Promise<T>) => Promise<T>;
  /** Connections open, idle and callers waiting for one. */
  readonly usage: () => { total: number; idle: number; waiting: number };
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

export type PoolOptions = {
  readonly url: string;
  readonly role: string;
  readonly connectionsMax: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Deadline of one wait for a lock; shorter than the statement's, it tells a rival from an outage. */
  readonly lockTimeoutMs?: number;
  /** False behind a transaction-pooling proxy, where a named statement may meet another server. */
  readonly namedStatements: boolean;
};

/** How long the client waits beyond the server's own statement timeout before it gives a connection up. */
const CLIENT_GRACE_MS = 1000;

export function openPool(options: PoolOptions): Database {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.connectionsMax,
    connectionTimeoutMillis: options.connectTimeoutMs,
    statement_timeout: options.statementTimeoutMs,
    ...(options.lockTimeoutMs === undefined ? {} : { lock_timeout: options.lockTimeoutMs }),
    query_timeout: options.statementTimeoutMs + CLIENT_GRACE_MS,
    idle_in_transaction_session_timeout: options.statementTimeoutMs * 2,
    application_name: `risk-${options.role}`,
    keepAlive: true,
  });
  // An idle connection that the server ends is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  const run = (client: pg.Pool | pg.PoolClient): Query => {
    return async <Row extends object>(statement: Statement, values: readonly unknown[] = []) => {
      try {
        const result = await client.query<Row>({
          text: statement.text,
          values: [...values],
          ...(options.namedStatements ? { name: statement.name } : {}),
        });
        return result.rows;
      } catch (error) {
        throw toFailure(error);
      }
    };
  };
  const session = async <T>(work: (client: pg.PoolClient) => Promise<T>): Promise<T> => {
    const client = await pool.connect().catch((error: unknown) => {
      throw toFailure(error);
    });
    let broken = false;
    // A connection the server ends between two queries reports it here; the next query fails with it.
    const note = () => {
      broken = true;
    };
    client.on('error', note);
    try {
      return await work(client);
    } catch (error) {
      const failure = toFailure(error);
      broken ||= failure.kind === 'unavailable';
      throw failure;
    } finally {
      client.off('error', note);
      client.release(broken);
    }
  };
  return {
    query: run(pool),
    session,
    transaction: (work) => session((client) => inTransaction(client, () => work(run(client)))),
    usage: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}

async function inTransaction<T>(client: pg.PoolClient, work: () => Promise<T>): Promise<T> {
  await client.query('begin');
  let value: T;
  try {
    value = await work();
  } catch (error) {
    // The reason of the failure matters, not that of a rollback on a connection that is gone.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
  await client.query('commit').catch((error: unknown) => {
    throw commitFailure(error);
  });
  return value;
}

/** A connection that dies during COMMIT leaves the outcome unknown: the caller must read back. */
function commitFailure(error: unknown): unknown {
  const failure = toFailure(error);
  return failure.kind === 'unavailable' ? toFailure(error, 'COMMIT_UNKNOWN') : failure;
}
