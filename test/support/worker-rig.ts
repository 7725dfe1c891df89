/**
 * A database, a Redis and as many workers as a test wants, in this process or as children; transactions are
 * stored and appended as ingest does, so a test can count the outcomes.
 */
import type { Transaction } from '../../src/core/domain/transaction.ts';
import type { EntryPayload } from '../../src/core/stream/entries/entry.ts';
import { createProducer } from '../../src/core/stream/entries/producer.ts';
import { streamKeys } from '../../src/core/stream/keys.ts';
import { measureStreams } from '../../src/core/stream/status/lag.ts';
import { createOutput } from '../../src/kit/command/output.ts';
import { createLog } from '../../src/kit/metrics/log.ts';
import { openCommands } from '../../src/kit/redis/connection.ts';
import { runWorker, type WorkerOverrides } from '../../src/main/worker.ts';
import { testConfig } from './config.ts';
import { createTestDatabase } from './database.ts';
import { type RiskProcess, spawnRisk } from './risk.ts';
import { startTestRedis, type TestServiceOptions } from './services.ts';
import {
  idAt,
  readRows,
  storeOpenRows,
  storeTransactions,
  type TransactionSeed,
} from './stored-rows.ts';
import { waitUntil } from './wait-until.ts';

export type RunningWorker = ReturnType<typeof startWorkerHere>;
export type WorkerRig = Awaited<ReturnType<typeof createWorkerRig>>;

export type Counts = {
  readonly scored: number;
  readonly deadLetters: number;
  /** In the stream of the rig: undelivered or pending. */
  readonly waiting: number;
  readonly retries: number;
};

/**
 * A worker opens all that it may, and each connection costs 15 ms of processor time, as its statements are planned anew: files of
 * workers took 5 % more with the default of 10. With 2, a long statement leaves a single one for the rest.
 */
const RISK_DATABASE_CONNECTIONS_MAX = '4';

/** Quick enough for a test to wait for claims and retries. */
const QUICK = {
  RISK_CLAIM_IDLE_MS: '600',
  RISK_RETRY_BASE_MS: '100',
};

export async function createWorkerRig(redisOptions: TestServiceOptions = {}) {
  const database = await createTestDatabase();
  const redis = await startTestRedis(redisOptions);
  const pool = database.open();
  const commands = openCommands(redis.url, 2000);
  await waitUntil(() => commands.status === 'ready', 5000, 'redis');
  const stream = streamKeys(database.market, 'US-EG', 0);
  const producer = createProducer({
    redis: commands,
    market: database.market,
    shardsOf: () => 1,
    transactionsMax: 1_000_000,
  });
  /** Settings of a worker; a test may add its own. */
  const environment = { DATABASE_URL: database.url, REDIS_URL: redis.url, ...QUICK };
  const workers: RunningWorker[] = [];
  const children: RiskProcess[] = [];
  const counts = async (): Promise<Counts> => {
    const [rows] = await database.sql<{ scored: number; dead: number }>(
      `select (select count(*)::int from scores) as scored,
              (select count(*)::int from dead_letters where replayed_at is null and purged_at is null) as dead`,
    );
    const [measured] = await measureStreams(commands, [stream]);
    return {
      scored: rows?.scored ?? 0,
      deadLetters: rows?.dead ?? 0,
      waiting: (measured?.lag ?? 0) + (measured?.pending ?? 0),
      retries: measured?.retriesWaiting ?? 0,
    };
  };
  const store = async (seeds: readonly TransactionSeed[]) => {
    const whole = seeds.map((seed) => ({ id: idAt(seed.createdAtMs), ...seed }));
    await storeTransactions(pool, whole);
    return whole.map(toTransaction);
  };
  const append = async (transactions: readonly Transaction[], more: Partial<EntryPayload> = {}) => {
    await producer.append(
      transactions.map((transaction) => ({
        ...{ transaction, attempt: 1, origin: 'ingest' as const, replyTo: null, rowId: null },
        ...more,
      })),
    );
  };
  return {
    ...{ database, pool, redis, commands, producer, stream, environment, store, append },
    /** Stores and appends; returns the transactions. */
    async send(seeds: readonly TransactionSeed[]) {
      const transactions = await store(seeds);
      await append(transactions);
      return transactions;
    },
    startWorker(settings: Readonly<Record<string, string>> = {}, overrides: WorkerOverrides = {}) {
      const worker = startWorkerHere({ ...environment, ...settings }, overrides);
      workers.push(worker);
      return worker;
    },
    spawnWorker(settings: Readonly<Record<string, string>> = {}) {
      const child = spawnRisk(['worker'], { ...environment, ...settings });
      children.push(child);
      return child;
    },
    /** Opens rows for stored transactions, as if they were accepted so long ago. */
    async openRows(transactions: readonly Transaction[], ageMs = 3_600_000) {
      const ids = transactions.map(({ transactionId }) => transactionId);
      await storeOpenRows(pool.query, new Date(Date.now() - ageMs), ids, false);
    },
    /** The row in which a transaction is open. */
    async rowOf({ transactionId }: Transaction) {
      const rows = await readRows(pool.query);
      const row = rows.find(({ transactionIds }) => transactionIds.includes(transactionId));
      if (row === undefined) throw new Error(`${transactionId} is not open`);
      return row.rowId;
    },
    counts,
    /** Waits until this many are final and nothing waits any more. */
    async settled(final: number, deadlineMs = 15_000) {
      let last: Counts | undefined;
      try {
        return await waitUntil(async () => {
          last = await counts();
          const done = last.scored + last.deadLetters >= final;
          return done && last.waiting + last.retries === 0 ? last : undefined;
        }, deadlineMs);
      } catch {
        const said = children.map(
          (child) => `${child.hasExited() ? 'exited' : 'runs'}: ${child.stdout()}${child.stderr()}`,
        );
        throw new Error(['not settled in time', JSON.stringify(last), ...said].join('\n'));
      }
    },
    async [Symbol.asyncDispose]() {
      for (const worker of workers) await worker[Symbol.asyncDispose]();
      commands.disconnect();
      await pool[Symbol.asyncDispose]();
      await redis[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

export function startWorkerHere(
  environment: Readonly<Record<string, string>>,
  overrides: WorkerOverrides = {},
) {
  const controller = new AbortController();
  const context = {
    config: testConfig({ RISK_DATABASE_CONNECTIONS_MAX, ...environment }),
    environment,
    output: createOutput({ json: false }),
    log: createLog('worker', environment['LOG_LEVEL'] ?? 'silent'),
    signal: controller.signal,
  };
  const exited = runWorker(context, overrides);
  exited.catch(() => undefined);
  const stop = async () => {
    controller.abort();
    return await exited;
  };
  return {
    /** Asks it to stop and waits for its exit code. */
    stop,
    exited,
    async [Symbol.asyncDispose]() {
      await stop();
    },
  };
}

function toTransaction(seed: TransactionSeed & { readonly id: string }): Transaction {
  return {
    transactionId: seed.id,
    createdAtMs: seed.createdAtMs,
    receivedAtMs: seed.receivedAtMs ?? seed.createdAtMs,
    accountId: seed.accountId ?? 'acc_1',
    merchantId: seed.merchantId ?? 'm_1',
    amount: seed.amount ?? '10.00',
    currency: seed.currency ?? 'USD',
    corridor: seed.corridor ?? 'US-EG',
    ip: seed.ip ?? null,
    deviceId: seed.deviceId ?? null,
    ...{ type: null, country: null, channel: null, declared: null },
  };
}

/** `count` transactions a second apart, over some accounts and merchants. */
export function seeds(count: number, startMs = Date.UTC(2026, 10, 1)): TransactionSeed[] {
  return Array.from({ length: count }, (_, index) => ({
    createdAtMs: startMs + index * 1000,
    accountId: `acc_${index % 17}`,
    merchantId: `m_${index % 5}`,
    amount: `${10 + (index % 90)}.50`,
  }));
}
