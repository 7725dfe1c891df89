/**
 * The connection to Postgres: one pool a process and market. Statements carry a name, so the server
 * plans them once a connection, but for those that read months; every call ends within the statement timeout. Driver errors leave
 * this folder only as Failures.
 */
import pg from 'pg';
import type { Guard } from '../breakers/breaker.ts';
import { socketWithin } from '../process/address-time.ts';
import { notedCommits } from '../process/note-commits.ts';
import { Failure, type StoreSetting } from '../words/failure.ts';
import { toDriverUrl } from '../words/postgres-url.ts';
import { type Copy, createCopy } from './copy.ts';
import { inTransaction } from './in-transaction.ts';
import { createTextOf, inMarket } from './market-schema.ts';
import {
  commitFailure,
  endedBy,
  isPartitionMissing,
  SCHEMA_MISSING,
  toFailure,
} from './pg-failure.ts';
import { connectPresent, isOfOther, lifetimeOf, type ServerOptions } from './server.ts';
import { createBeginText, type SessionOptions, startupSettings } from './session-settings.ts';

/** A statement written once, as a constant named after its operation. */
export type Statement = {
  /** Absent where the text differs from call to call, or is to be planned for its values: planning takes 0.5 ms. */
  readonly name?: string;
  /** Writes a table of its market as `market.scores`; see market-schema.ts. */
  readonly text: string;
  /** True where the text itself bounds the months that it reads: its plan may be kept. */
  readonly hasMonths?: boolean;
  /** True where a row is a list of its columns as Postgres writes them: `Texts`. */
  readonly asTexts?: boolean;
  /** True for a statement that Postgres refuses within a transaction. Behind a pooler it runs without deadlines. */
  readonly outsideTransaction?: boolean;
};

const AS_TEXTS = { rowMode: 'array', types: { getTypeParser: () => (text: string) => text } };

export type Query = <Row extends object>(
  statement: Statement,
  values?: readonly unknown[],
) => Promise<Row[]>;

/** @param guard wraps the commit in place of the pool's guard, which `guard` may call */
type Write = <Row extends object>(
  statement: Statement,
  values?: readonly unknown[],
  guard?: Guard,
) => Promise<Row[]>;

export type Database = {
  readonly query: Query;
  /** A statement that is its own commit. */
  readonly write: Write;
  /** Runs `work` between begin and commit; anything it throws rolls back and is thrown on. */
  readonly transaction: <T>(work: (query: Query) => Promise<T>) => Promise<T>;
  /** A transaction that may copy rows. */
  readonly copyTransaction: <T>(work: (query: Query, copy: Copy) => Promise<T>) => Promise<T>;
  /** Lends `work` one connection, for COPY and cursors, within one transaction that `begin` opens. */
  readonly session: <T>(
    work: (client: pg.PoolClient, begin: Begin, query: Query, copy: Copy) => Promise<T>,
  ) => Promise<T>;
  /** Connections open, idle and at most, and callers that wait for one. */
  readonly usage: () => Readonly<Record<'total' | 'idle' | 'waiting' | 'max', number>>;
  readonly [Symbol.asyncDispose]: () => Promise<void>;
};

/** @param mode transaction mode, as in `begin MODE` */
type Begin = (mode?: string) => Promise<void>;

export type PoolOptions = SessionOptions &
  ServerOptions & {
    readonly url: string;
    /** The setting that has the URL, where it is not DATABASE_URL. */
    readonly setting?: StoreSetting;
    /** Name of the schema that holds the tables. */
    readonly market: string;
    readonly role: string;
    readonly connectionsMax: number;
    readonly connectTimeoutMs: number;
    readonly namedStatements: boolean;
    /** Wraps every query, every transaction and every acquisition of a session: a breaker. */
    readonly guard?: Guard;
  };

/** Callers that may wait, for each connection; more are refused at once. */
const WAITING_SHARE_MAX = 32;
/** No connection of ours was free in time: this process is busy, Postgres is not at fault. */
export const POOL_BUSY = 'POSTGRES_POOL_BUSY';
const POOL_WAIT_OVER = 'timeout exceeded when trying to connect';

/** How long the client waits beyond the server's own statement timeout before it gives a connection up. */
const CLIENT_GRACE_MS = 1000;

export function openPool(options: PoolOptions): Database {
  const pool = openConnections(options);
  const guard: Guard = options.guard ?? ((call) => call());
  const waitingMax = options.connectionsMax * WAITING_SHARE_MAX;
  const textOf = createTextOf(options.market);
  const run = (client: pg.PoolClient) => createQuery(client, textOf, options);
  const connect = async (): Promise<pg.PoolClient> => {
    if (pool.waitingCount >= waitingMax)
      throw new Failure('unavailable', POOL_BUSY, `${waitingMax} callers wait for a connection`);
    return await connectPresent(pool, options).catch((error: unknown) => {
      throw toPoolFailure(error, options);
    });
  };
  const within = async <T>(
    client: pg.PoolClient,
    work: (client: pg.PoolClient) => Promise<T>,
  ): Promise<T> => {
    let isInDoubt = false;
    const ends: Error[] = [];
    // A connection that the server ends between two queries says why here; the next query fails without a reason.
    const note = (error: Error) => ends.push(error);
    client.on('error', note);
    try {
      return await work(client);
    } catch (error) {
      const failure = endedBy(ends, toFailure(error), options.setting);
      // A session that read the list of partitions while one was attached may keep the old list: PostgreSQL loses the notice.
      isInDoubt = isSessionInDoubt(failure) || isPartitionMissing(failure);
      throw failure;
    } finally {
      client.off('error', note);
      client.release(isInDoubt || ends.length > 0 || isOfOther(client, options));
    }
  };
  const beginText = createBeginText(options);
  const transaction = <T>(work: (query: Query, copy: Copy) => Promise<T>, own = guard) =>
    own(async () => {
      const client = await connect();
      return await within(client, () =>
        inTransaction(client, beginText(), () => work(run(client), copyOn(client, options))),
      );
    });
  const shared = {
    // Only acquiring the connection is guarded: work on it may take as long as reading a month of rows.
    session: async <T>(
      work: (client: pg.PoolClient, begin: Begin, query: Query, copy: Copy) => Promise<T>,
    ): Promise<T> =>
      await within(await connectGuarded(guard, connect), (client) => {
        const begin: Begin = async (mode) => void (await client.query(beginText(mode)));
        return work(client, begin, run(client), copyOn(client, options));
      }),
    transaction: <T>(work: (query: Query) => Promise<T>) => transaction(work),
    copyTransaction: <T>(work: (query: Query, copy: Copy) => Promise<T>) => transaction(work),
    usage: () => ({
      total: pool.totalCount,
      idle: pool.idleCount,
      waiting: pool.waitingCount,
      max: options.connectionsMax,
    }),
    [Symbol.asyncDispose]: () => pool.end(),
  };
  // The pool's own query would end the connection after any error, and each new one costs the server milliseconds.
  const query = <Row extends object>(statement: Statement, values?: readonly unknown[]) =>
    guard(async () => {
      const client = await connect();
      return await within(client, () => run(client)<Row>(statement, values));
    });
  if (options.isPooled === true) {
    const unit: Write = <Row extends object>(...[statement, values, own]: Parameters<Write>) =>
      statement.outsideTransaction === true
        ? query<Row>(statement, values)
        : transaction((run) => run<Row>(statement, values), own);
    return { ...shared, query: unit, write: unit };
  }
  return {
    ...shared,
    query,
    write: <Row extends object>(...[statement, values, own = guard]: Parameters<Write>) =>
      own(async () => {
        const client = await connect();
        const rows = await within(client, () =>
          run(client)<Row>(statement, values).catch((error: unknown) => {
            throw commitFailure(error);
          }),
        );
        const commits = notedCommits();
        if (commits !== undefined) commits.hasChanged = true;
        return rows;
      }),
  };
}

function openConnections(options: PoolOptions): pg.Pool {
  const { onConnect: set, ...session } = startupSettings(options);
  const pool = new pg.Pool({
    connectionString: toDriverUrl(options.url),
    max: options.connectionsMax,
    connectionTimeoutMillis: options.connectTimeoutMs,
    ...session,
    query_timeout: options.statementTimeoutMs + CLIENT_GRACE_MS,
    ...lifetimeOf(options),
    onConnect: async (client) => {
      try {
        await set(client);
        await options.server?.note(client);
      } catch (error) {
        // Otherwise the caller waits until the server ends the connection, which a server that has vanished never does.
        if (client instanceof pg.Client) client.connection.stream.destroy();
        throw error;
      }
    },
    application_name: `risk-${options.role}`,
    keepAlive: true,
    stream: () => socketWithin(options.connectTimeoutMs),
  });
  // An idle connection that the server ends is replaced by the pool; without a listener it would end the process.
  pool.on('error', () => undefined);
  return pool;
}

/** Whether a session may not be used again. A missing table says nothing of it: a schema may be gone for long. */
function isSessionInDoubt({ kind, code }: Failure): boolean {
  return kind === 'unavailable' && code !== SCHEMA_MISSING;
}

/** Throws Failures in place of what the driver throws. */
function createQuery(
  client: pg.PoolClient,
  textOf: ReturnType<typeof createTextOf>,
  options: Pick<PoolOptions, 'namedStatements' | 'setting'>,
): Query {
  return async <Row extends object>(statement: Statement, values: readonly unknown[] = []) => {
    const { asTexts } = statement;
    const { name, text } = textOf(statement);
    const named = options.namedStatements ? { name } : {};
    const asked = { text, values: [...values], ...named, ...(asTexts && AS_TEXTS) };
    try {
      return (await client.query<Row>(asked)).rows;
    } catch (error) {
      throw toPoolFailure(error, options);
    }
  };
}

function copyOn(client: pg.PoolClient, options: Pick<PoolOptions, 'market' | 'setting'>): Copy {
  return createCopy(
    client,
    (text) => inMarket(text, options.market),
    (error) => toPoolFailure(error, options),
  );
}

/** A connection that comes after the guard has given its caller up goes straight back. */
async function connectGuarded(
  guard: Guard,
  connect: () => Promise<pg.PoolClient>,
): Promise<pg.PoolClient> {
  let isGivenUp = false;
  try {
    return await guard(async () => {
      const client = await connect();
      if (isGivenUp) client.release();
      return client;
    });
  } catch (error) {
    isGivenUp = true;
    throw error;
  }
}

function toPoolFailure(error: unknown, { setting }: Pick<PoolOptions, 'setting'>): Failure {
  const isCrowded = error instanceof Error && error.message === POOL_WAIT_OVER;
  return toFailure(error, isCrowded ? POOL_BUSY : undefined, setting);
}

/** Share of the connections of a pool that are busy: what *connections* means in alerts, the console and the documents. */
export const busyShare = ({ total, idle, max }: ReturnType<Database['usage']>) =>
  (total - idle) / max;
