/** The rate of Redis here with the entries of a load: appended one by one and as the engine does, and read. */
import type { Redis } from 'ioredis';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { ENTRY_VERSION, packAgain } from '../../src/core/stream/entries/entry.ts';
import { createProducer } from '../../src/core/stream/entries/producer.ts';
import { ensureGroups } from '../../src/core/stream/group/consumer-group.ts';
import { readGroup } from '../../src/core/stream/group/read-group.ts';
import { GROUP, streamKeys } from '../../src/core/stream/keys.ts';

const BATCH_TRANSACTIONS = 1000;
const MARKET = 'ceiling';
const CONSUMER = 'ceiling';
const SCRATCH = streamKeys(MARKET, 'XX-XX', 0);

type Rate = Promise<number>;

export async function redisCeilings(
  redis: Redis,
  transactions: readonly Transaction[],
): Promise<Readonly<Record<string, number>>> {
  const xadd = await appendPipelined(redis, transactions);
  const single = await drain(redis, transactions.length);
  const append = await appendByScript(redis, transactions);
  const many = await drain(redis, transactions.length);
  return {
    xadd_pipelined_per_second: xadd,
    append_script_per_second: append,
    read_ack_delete_of_one_per_second: single,
    read_ack_delete_of_many_per_second: many,
  };
}

/** Entries of one transaction each, to the scratch stream. */
async function appendPipelined(redis: Redis, transactions: readonly Transaction[]): Rate {
  const entries = transactions.map((one) => packAgain([toPayload(one)]));
  await ensureGroups(redis, [SCRATCH.transactions]);
  return await perSecond(entries.length, async () => {
    for (let from = 0; from < entries.length; from += BATCH_TRANSACTIONS) {
      const batch = redis.pipeline();
      for (const { head, packed } of entries.slice(from, from + BATCH_TRANSACTIONS)) {
        const fields = ['v', ENTRY_VERSION, 'n', '1', 'h', head, 'd', packed];
        batch.xadd(SCRATCH.transactions, '*', ...fields);
      }
      await batch.exec();
    }
  });
}

async function drain(redis: Redis, transactions: number): Rate {
  const share = { shares: [BATCH_TRANSACTIONS], transactionsMax: BATCH_TRANSACTIONS };
  const options = { consumer: CONSUMER, streams: [SCRATCH], ...share };
  const rate = await perSecond(transactions, async () => {
    for (let left = await redis.xlen(SCRATCH.transactions); left > 0; ) {
      const { deliveries } = await readGroup(redis, options);
      const ids = deliveries.flatMap(({ entries }) => entries.map(({ id }) => id));
      if (ids.length === 0) throw new Error(`${left} entries were not delivered`);
      await redis
        .pipeline()
        .xack(SCRATCH.transactions, GROUP, ...ids)
        .xdel(SCRATCH.transactions, ...ids)
        .exec();
      left -= ids.length;
    }
  });
  await redis.del(SCRATCH.transactions, SCRATCH.counts);
  return rate;
}

/** A script call for each batch, packing included. */
async function appendByScript(redis: Redis, transactions: readonly Transaction[]): Rate {
  const transactionsMax = transactions.length;
  const producer = createProducer({ redis, market: MARKET, shardsOf: () => 1, transactionsMax });
  await ensureGroups(redis, [SCRATCH.transactions]);
  const payloads = transactions.map((one) => toPayload({ ...one, corridor: SCRATCH.corridor }));
  return await perSecond(transactions.length, async () => {
    for (let from = 0; from < transactions.length; from += BATCH_TRANSACTIONS) {
      await producer.append(payloads.slice(from, from + BATCH_TRANSACTIONS));
    }
  });
}

function toPayload(transaction: Transaction) {
  return { transaction, attempt: 1, origin: 'ingest', replyTo: null, rowId: null } as const;
}

async function perSecond(count: number, work: () => Promise<void>): Rate {
  const started = performance.now();
  await work();
  return (count * 1000) / (performance.now() - started);
}
