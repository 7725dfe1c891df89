/**
 * The cost of a transaction in Redis on its way through a stream, without profiles: appended as ingest does it, read and
 * settled as a worker does it. Processor time of the server, what the append-only file grows by, and the memory that
 * waiting transactions and then their events take.
 */
import type { Redis } from 'ioredis';
import type { Transaction } from '../src/core/domain/transaction.ts';
import { decodeEntry, type EntryPayload } from '../src/core/stream/entries/entry.ts';
import { createProducer } from '../src/core/stream/entries/producer.ts';
import { ensureGroups } from '../src/core/stream/group/consumer-group.ts';
import { readGroup, type StreamEntry } from '../src/core/stream/group/read-group.ts';
import { streamKeys } from '../src/core/stream/keys.ts';
import { watchMemory } from '../src/core/stream/memory/memory.ts';
import { type EndedEntry, settle } from '../src/core/stream/settle/settle.ts';
import { toRow } from '../src/core/work/decided.ts';
import type { Bench } from './support/bench.ts';
import { DAY_MS, MONTH_LOAD } from './support/load.ts';
import { madeBatches } from './support/made-rows.ts';
import { MARKET } from './support/market.ts';
import { readOptions } from './support/options.ts';
import { makeRunFolder } from './support/run-folder.ts';
import { startServices } from './support/services.ts';

const USAGE = `--posts N[,N]      transactions a post (1,120,1000)
--transactions N   a case (60000)`;

const STREAM = streamKeys(MARKET, 'US-EG', 0);
const BATCH_TRANSACTIONS = 1000;
const REASONS = [{ code: 'AMOUNT_UNUSUAL', detail: '', contribution: 12 }];
const DECISION = { score: 12, risk: 0.123_456_789, verdict: 'approve' } as const;

/** Microseconds of processor time that the server has used. */
async function processorUs(redis: Redis): Promise<number> {
  const info = await redis.info('cpu');
  const seconds = ['sys', 'user'].map((kind) =>
    Number(new RegExp(`^used_cpu_${kind}:(\\d+\\.\\d+)`, 'm').exec(info)?.[1]),
  );
  return seconds.reduce((sum, one) => sum + one, 0) * 1e6;
}

async function aofBytes(redis: Redis): Promise<number> {
  return Number(/^aof_current_size:(\d+)/m.exec(await redis.info('persistence'))?.[1] ?? 0);
}

/** Memory without what the server needs for itself, its clients and its append-only file. */
async function dataBytes(redis: Redis): Promise<number> {
  return Number(/^used_memory_dataset:(\d+)/m.exec(await redis.info('memory'))?.[1]);
}

function toPayload(transaction: Transaction): EntryPayload {
  const { corridor } = STREAM;
  const common = { attempt: 1, origin: 'ingest', replyTo: null, rowId: null } as const;
  return { transaction: { ...transaction, corridor }, ...common };
}

/** A score in ten has a reason. */
function toEnded(entry: StreamEntry): EndedEntry {
  const rows = decodeEntry(entry).transactions.map((transaction, n) =>
    toRow(transaction, { ...DECISION, reasons: n % 10 === 0 ? REASONS : [] }),
  );
  const scores = [{ count: rows.length, rows: rows.join() }];
  const { id: entryId, transactions } = entry;
  const scoredAtMs = Date.UTC(2026, 10);
  const none = { needsOwner: false, retries: [], deadLetters: [] };
  return { entryId, transactions, scores, scoredAtMs, ...none };
}

async function runThrough(redis: Redis, payloads: readonly EntryPayload[], post: number) {
  const transactionsMax = payloads.length;
  const producer = createProducer({ redis, market: MARKET, shardsOf: () => 1, transactionsMax });
  const market = { name: MARKET, redis, memory: watchMemory(1) };
  const consumer = 'bench-1';
  await redis.flushall();
  await ensureGroups(redis, [STREAM.transactions]);
  const emptyBytes = await dataBytes(redis);
  const [cpuBefore, aofBefore] = [await processorUs(redis), await aofBytes(redis)];
  for (let from = 0; from < payloads.length; from += post) {
    await producer.append(payloads.slice(from, from + post));
  }
  const waitingBytes = (await dataBytes(redis)) - emptyBytes;
  const share = { shares: [BATCH_TRANSACTIONS], transactionsMax: BATCH_TRANSACTIONS };
  for (;;) {
    const { deliveries } = await readGroup(redis, {
      ...{ consumer, streams: [STREAM] },
      ...share,
    });
    const entries = deliveries[0]?.entries ?? [];
    if (entries.length === 0) break;
    const ended = entries.map(toEnded);
    await settle(market, [{ stream: STREAM, consumer, ended, replaced: [], replies: [] }]);
  }
  const [cpuAfter, aofAfter] = [await processorUs(redis), await aofBytes(redis)];
  return {
    redis_us_a_transaction: (cpuAfter - cpuBefore) / payloads.length,
    aof_bytes_a_transaction: (aofAfter - aofBefore) / payloads.length,
    bytes_a_waiting_transaction: waitingBytes / payloads.length,
    bytes_a_published_score: ((await dataBytes(redis)) - emptyBytes) / payloads.length,
    left: await redis.xlen(STREAM.transactions),
  };
}

export const bench: Bench = {
  name: 'streams',
  question: 'What does a transaction cost Redis on its way through a stream?',
  onlyByName: 'it measures a part of what end-to-end measures',
  usage: USAGE,
  run: async function* (args, { log, signal }) {
    const wholes = {
      posts: { or: [1, 120, 1000], max: 1000 },
      transactions: { or: 60_000, min: 1000, max: 1_000_000 },
    };
    const { posts, transactions } = readOptions(args, wholes, {}).numbers;
    await using folder = await makeRunFolder('risk-bench');
    await using services = await startServices({
      dataDir: `${folder.path}/data`,
      log,
      signal,
    });
    const load = { ...MONTH_LOAD, batch: 1000, transactions, days: 1, endMs: DAY_MS * 20_000 };
    const payloads = [...madeBatches(load)].flatMap((batch) => batch.transactions.map(toPayload));
    for (const post of posts) {
      const figures = await runThrough(services.redis, payloads, post);
      yield {
        ...{ caseName: `posts of ${post}`, versions: services.versions, perSecond: Number.NaN },
        inputs: { transactions, post, ...services.settings },
        ...{ settings: {}, ceilings: [], tables: [], figures },
        breaches: figures.left === 0 ? [] : [`${figures.left} entries were left`],
      };
    }
  },
};
