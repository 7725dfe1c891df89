/**
 * pg-boss. Both styles add jobs in the transaction that stores the payments, as its documentation offers, so
 * that nothing is lost in between. Usual: send() and one score row a job, 50 jobs a fetch worked on together.
 * Batched: one insert() a request, 1,000 jobs a fetch stored by one statement and completed together.
 */
import type pg from 'pg';
import { PgBoss } from 'pg-boss';
import { type Payment, POOL_CONNECTIONS, QUEUE, type Rival, type Stores } from './rival.ts';
import { acceptWithJobs, createTables, insertScore, insertScores, openPool } from './tables.ts';

const BATCH_SIZE = { usual: 50, batched: 1000 } as const;
const FETCHERS = 2;
/** Retries as the engine has them: three more, backing off from a second. */
const JOB = { retryLimit: 3, retryDelay: 1, retryBackoff: true } as const;

async function startBoss({ databaseUrl }: Stores): Promise<PgBoss> {
  const boss = new PgBoss({
    connectionString: databaseUrl,
    max: POOL_CONNECTIONS,
    useListenNotify: true,
  });
  boss.on('error', (error) => process.stderr.write(`${String(error)}\n`));
  await boss.start();
  return boss;
}

/** Jobs become part of the caller's transaction. */
function through(client: pg.PoolClient) {
  return {
    executeSql: async (text: string, values?: unknown[]) => await client.query(text, values),
  };
}

export const rival: Rival = {
  openApi: async (style, stores) => {
    const pool = openPool(stores);
    await createTables(pool);
    const boss = await startBoss(stores);
    // A notification a payment would only queue up at commit; one a request wakes the fetchers at once.
    await boss.createQueue(QUEUE, { notify: style === 'batched', ...JOB });
    return {
      accept: acceptWithJobs(pool, style, {
        request: async (client, payments) => {
          const jobs = payments.map((data) => ({ data }));
          await boss.insert(QUEUE, jobs, { db: through(client) });
        },
        payment: async (client, payment) => {
          await boss.send(QUEUE, payment, { db: through(client) });
        },
      }),
      scored: () => 0,
      close: async () => {
        await boss.stop();
        await pool.end();
      },
    };
  },
  openWorker: async (style, stores) => {
    const pool = openPool(stores);
    const boss = await startBoss(stores);
    let scored = 0;
    const options = {
      batchSize: BATCH_SIZE[style],
      burstWhenBatchFull: true,
      localConcurrency: FETCHERS,
      pollingIntervalSeconds: 0.5,
      notifyPollingIntervalSeconds: 0.5,
    };
    await boss.work<Payment>(QUEUE, options, async (jobs) => {
      const payments = jobs.map(({ data }) => data);
      if (style === 'batched') await insertScores(pool, payments);
      else await Promise.all(payments.map((payment) => insertScore(pool, payment)));
      scored += payments.length;
    });
    return {
      scored: () => scored,
      close: async () => {
        await boss.stop();
        await pool.end();
      },
    };
  },
};
