/** What Redis does here with the entries of a load: appended and read in the ways that the engine could choose from. */
import type { Redis } from 'ioredis';
import type { Transaction } from '../../src/domain/transaction.ts';
import { ensureGroups } from '../../src/stream/consumer-group.ts';
import { encodeEntry } from '../../src/stream/entry.ts';
import { GROUP } from '../../src/stream/keys.ts';
import { createProducer } from '../../src/stream/producer.ts';
import { loadReadScript, readJoined, readNew } from '../../src/stream/read-group.ts';

const BATCH_ENTRIES = 1000;
const MARKET = 'ceiling';
const SCRATCH_STREAM = 'ceiling:transactions';
const CONSUMER = 'ceiling';

type Rate = Promise<number>;

export async function redisCeilings(
  redis: Redis,
  transactions: readonly Transaction[],
): Promise<Readonly<Record<string, number>>> {
  const xadd = await appendPipelined(redis, transactions);
  const nested = await drain(redis, async () => {
    const options = { consumer: CONSUMER, streams: [SCRATCH_STREAM], entriesMax: BATCH_ENTRIES };
    return (await readNew(redis, { ...options, blockMs: 1 })).flatMap(({ entries }) => entries);
  });
  await appendPipelined(redis, transactions);
  const script = loadReadScript();
  const joined = await drain(redis, async () => {
    const options = { consumer: CONSUMER, streams: [SCRATCH_STREAM], entriesMax: BATCH_ENTRIES };
    const found = await readJoined(redis, script, { ...options, blockMs: 1 });
    return found.flatMap(({ entries }) => entries);
  });
  const append = await appendByScript(redis, transactions);
  return {
    xadd_pipelined_per_second: xadd,
    append_script_per_second: append,
    xreadgroup_ack_delete_per_second: nested,
    joined_read_ack_delete_per_second: joined,
  };
}

/** To the scratch stream, which stays. */
async function appendPipelined(redis: Redis, transactions: readonly Transaction[]): Rate {
  const entries = transactions.map(packed);
  await ensureGroups(redis, [SCRATCH_STREAM]);
  return await perSecond(entries.length, async () => {
    for (let from = 0; from < entries.length; from += BATCH_ENTRIES) {
      const batch = redis.pipeline();
      for (const entry of entries.slice(from, from + BATCH_ENTRIES)) {
        batch.xadd(SCRATCH_STREAM, '*', 'v', '1', 'd', entry);
      }
      await batch.exec();
    }
  });
}

async function drain(redis: Redis, read: () => Promise<readonly { readonly id: string }[]>): Rate {
  const count = await redis.xlen(SCRATCH_STREAM);
  const rate = await perSecond(count, async () => {
    for (let left = count; left > 0; ) {
      const ids = (await read()).map(({ id }) => id);
      if (ids.length === 0) throw new Error(`${left} entries were not delivered`);
      await redis
        .pipeline()
        .xack(SCRATCH_STREAM, GROUP, ...ids)
        .xdel(SCRATCH_STREAM, ...ids)
        .exec();
      left -= ids.length;
    }
  });
  await redis.del(SCRATCH_STREAM);
  return rate;
}

/** One script call a stream and batch, encoding included. */
async function appendByScript(redis: Redis, transactions: readonly Transaction[]): Rate {
  const entriesMax = transactions.length;
  const producer = createProducer({ redis, market: MARKET, shards: 1, entriesMax });
  const rate = await perSecond(transactions.length, async () => {
    for (let from = 0; from < transactions.length; from += BATCH_ENTRIES) {
      await producer.append(transactions.slice(from, from + BATCH_ENTRIES).map(toPayload));
    }
  });
  const keys = await redis.keys(`{${MARKET}:*`);
  if (keys.length > 0) await redis.del(...keys);
  return rate;
}

function toPayload(transaction: Transaction) {
  return { transaction, attempt: 1, origin: 'ingest', replyTo: null } as const;
}

function packed(transaction: Transaction): string {
  return encodeEntry(toPayload(transaction));
}

async function perSecond(count: number, work: () => Promise<void>): Rate {
  const started = performance.now();
  await work();
  return (count * 1000) / (performance.now() - started);
}
