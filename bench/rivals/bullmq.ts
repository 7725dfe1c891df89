/**
 * BullMQ. Usual: insert the row, add a job with it; a worker of concurrency 50 scores and inserts one row a job.
 * Batched: one insert and one addBulk a request; jobs of a worker of high concurrency share an insert, as only
 * the paid edition hands a worker several jobs at once. A crash between commit and add loses a job in both.
 */
import { Queue, Worker } from 'bullmq';
import { type Payment, QUEUE, type Rival, type Stores } from './rival.ts';
import {
  createTables,
  insertPayment,
  insertPayments,
  insertScore,
  insertScores,
  openPool,
  toPayment,
} from './tables.ts';

const CONCURRENCY = { usual: 50, batched: 1000 } as const;
const JOB = {
  removeOnComplete: true,
  attempts: 4,
  backoff: { type: 'exponential', delay: 1000 },
} as const;

function connectionOf({ redisUrl }: Stores) {
  const { hostname, port, password, username } = new URL(redisUrl);
  return {
    host: hostname,
    port: Number(port),
    ...(password === '' ? {} : { password: decodeURIComponent(password) }),
    ...(username === '' ? {} : { username }),
    maxRetriesPerRequest: null,
  };
}

export const rival: Rival = {
  openApi: async (style, stores) => {
    const pool = openPool(stores);
    await createTables(pool);
    const queue = new Queue<Payment>(QUEUE, { connection: connectionOf(stores) });
    await queue.waitUntilReady();
    return {
      accept: async (inputs) => {
        const payments = inputs.map(toPayment);
        if (style === 'batched') {
          await insertPayments(pool, payments);
          await queue.addBulk(payments.map((data) => ({ name: QUEUE, data, opts: JOB })));
        } else {
          await Promise.all(
            payments.map(async (payment) => {
              await insertPayment(pool, payment);
              await queue.add(QUEUE, payment, JOB);
            }),
          );
        }
        return payments.map(({ transactionId }) => transactionId);
      },
      scored: () => 0,
      close: async () => {
        await queue.close();
        await pool.end();
      },
    };
  },
  openWorker: async (style, stores) => {
    const pool = openPool(stores);
    let scored = 0;
    const storeShared = createSharedWrite((payments) => insertScores(pool, payments));
    const process = async (payment: Payment) => {
      if (style === 'batched') await storeShared(payment);
      else await insertScore(pool, payment);
      scored++;
    };
    const worker = new Worker<Payment>(QUEUE, ({ data }) => process(data), {
      connection: connectionOf(stores),
      concurrency: CONCURRENCY[style],
    });
    await worker.waitUntilReady();
    return {
      scored: () => scored,
      close: async () => {
        await worker.close();
        await pool.end();
      },
    };
  },
};

/** Calls during a write share the next one; each caller waits for its own. */
function createSharedWrite(
  write: (payments: readonly Payment[]) => Promise<void>,
): (payment: Payment) => Promise<void> {
  let waiting: Payment[] = [];
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | undefined;
  return (payment) => {
    waiting.push(payment);
    next ??= last
      .catch(() => undefined)
      .then(async () => {
        const payments = waiting;
        waiting = [];
        last = write(payments);
        next = undefined;
        await last;
      });
    return next;
  };
}
