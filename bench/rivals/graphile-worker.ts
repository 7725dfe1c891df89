/**
 * Graphile Worker. Both styles add jobs in the transaction that stores the payments. Usual: a job and one
 * score row a payment, ten at a time. Batched: a job a request with the payments as an array, its documented
 * batch job, with the local queue and the batched completion of its performance page.
 */
import { run, runMigrations } from 'graphile-worker';
import type pg from 'pg';
import { type Payment, POOL_CONNECTIONS, QUEUE, type Rival } from './rival.ts';
import { acceptWithJobs, createTables, insertScore, insertScores, openPool } from './tables.ts';

const ATTEMPTS_MAX = 4;

async function addJob(client: pg.PoolClient, payload: Payment | readonly Payment[]): Promise<void> {
  await client.query({
    name: 'add-job',
    text: 'select graphile_worker.add_job($1, $2::json, max_attempts := $3)',
    values: [QUEUE, JSON.stringify(payload), ATTEMPTS_MAX],
  });
}

export const rival: Rival = {
  openApi: async (style, stores) => {
    const pool = openPool(stores);
    await createTables(pool);
    await runMigrations({ connectionString: stores.databaseUrl });
    return {
      accept: acceptWithJobs(pool, style, { request: addJob, payment: addJob }),
      scored: () => 0,
      close: () => pool.end(),
    };
  },
  openWorker: async (style, stores) => {
    const pool = openPool(stores);
    let scored = 0;
    const score = async (payload: unknown) => {
      // The payload that accept() stored.
      const payments = (Array.isArray(payload) ? payload : [payload]) as readonly Payment[];
      const [first] = payments;
      if (style === 'batched') await insertScores(pool, payments);
      else if (first !== undefined) await insertScore(pool, first);
      scored += payments.length;
    };
    const batched = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 };
    const runner = await run({
      taskList: { [QUEUE]: score },
      noHandleSignals: true,
      preset: {
        worker: {
          connectionString: stores.databaseUrl,
          concurrentJobs: style === 'batched' ? 4 : 10,
          maxPoolSize: POOL_CONNECTIONS + 2,
          ...(style === 'batched' ? batched : {}),
        },
      },
    });
    return {
      scored: () => scored,
      close: async () => {
        await runner.stop();
        await pool.end();
      },
    };
  },
};
