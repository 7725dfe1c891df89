/**
 * The bare pipeline: what an engine of this shape costs when it does nothing but move the bytes. The API
 * parses JSON, stores keys, transactions and the open batch in one commit and appends to the streams; the
 * worker reads, stores one made-up score a transaction with the bytes of a real one, and acknowledges. No
 * validation, profile, feature, rule, retry, event or guard. Run as `node bench/bare/role.ts api|worker`.
 */
import { hostname } from 'node:os';
import { Redis } from 'ioredis';
import { createBatchCloser } from '../../src/ingest/batch-closer.ts';
import { prepare } from '../../src/ingest/prepare-transactions.ts';
import { createTransactionIds } from '../../src/ingest/transaction-id.ts';
import { createLog } from '../../src/runtime/log.ts';
import { FEATURE_SCHEMA } from '../../src/scoring/feature-schema.ts';
import { deleteIngestBatches } from '../../src/store/ingest-batches.ts';
import { createPartitionGuard } from '../../src/store/partitions.ts';
import { type Database, openPool } from '../../src/store/pool.ts';
import { insertScores } from '../../src/store/scores.ts';
import { claimTransactions } from '../../src/store/transactions.ts';
import { ensureGroups } from '../../src/stream/consumer-group.ts';
import { decodeEntry } from '../../src/stream/entry.ts';
import { GROUP, streamsOf } from '../../src/stream/keys.ts';
import { createProducer } from '../../src/stream/producer.ts';
import { type Delivery, loadReadScript, readJoined, readNew } from '../../src/stream/read-group.ts';
import type { Script } from '../../src/stream/scripts.ts';
import { createAloneScorer, RULE_SET } from '../support/empty-history.ts';
import { MARKET } from '../support/market.ts';
import { type Accept, servePlainly } from '../support/plain-service.ts';

const CONNECTIONS_MAX = 10;
const STREAM_ENTRIES_MAX = 10_000_000;
/** While one batch is written the next is read and decoded. */
const READERS = 2;
const BATCH_ENTRIES = 1000;
const BLOCK_MS = 100;

function openPostgres(role: string): Database {
  return openPool({
    url: process.env['DATABASE_URL'] ?? '',
    role,
    connectionsMax: CONNECTIONS_MAX,
    connectTimeoutMs: 5000,
    statementTimeoutMs: 60_000,
    namedStatements: true,
  });
}

const openRedis = () => new Redis(process.env['REDIS_URL'] ?? '', { protocol: 2 });

function createAccept(
  database: Database,
  redis: Redis,
): { accept: Accept; flush(): Promise<void> } {
  const newId = createTransactionIds();
  const partitions = createPartitionGuard(database);
  const producer = createProducer({
    ...{ redis, market: MARKET, shards: 1, entriesMax: STREAM_ENTRIES_MAX },
  });
  const closer = createBatchCloser({
    deleteBatches: (ids) => deleteIngestBatches(database, ids),
    narrowBatch: async () => undefined,
    log: createLog('bare', 'warn'),
  });
  const accept: Accept = async (inputs) => {
    const receivedAtMs = Date.now();
    const { rows, rowOf } = prepare(inputs, { receivedAtMs, corridors: new Set(), newId });
    await partitions.ensure(rows.map(({ createdAtMs }) => createdAtMs));
    const batchId = newId(receivedAtMs);
    const batch = { batchId, client: 'default', receivedAtMs, transactions: rows };
    await database.transaction((query) => claimTransactions(query, batch));
    await producer.append(
      rows.map((transaction) => ({ transaction, attempt: 1, origin: 'ingest', replyTo: null })),
    );
    closer.close(batchId);
    return rowOf.map(({ transactionId }) => transactionId);
  };
  return { accept, flush: () => closer.flush() };
}

async function runApi(port: number): Promise<void> {
  const database = openPostgres('bare-api');
  const redis = openRedis();
  const { accept, flush } = createAccept(database, redis);
  await servePlainly({
    ...{ port, accept, scored: () => 0 },
    close: async () => {
      await flush();
      await database[Symbol.asyncDispose]();
      redis.disconnect();
    },
  });
}

type Reader = {
  readonly redis: Redis;
  readonly consumer: string;
  readonly script: Script;
  readonly streams: readonly string[];
};

/** A share of each stream, so that a batch of all of them is as large as it should be. */
async function readBatch({ redis, consumer, script, streams }: Reader): Promise<Delivery[]> {
  const entriesMax = Math.ceil(BATCH_ENTRIES / streams.length);
  const options = { consumer, streams, entriesMax, blockMs: BLOCK_MS };
  const found = await readJoined(redis, script, options);
  return found.length > 0 ? found : await readNew(redis, options);
}

async function acknowledge(redis: Redis, deliveries: readonly Delivery[]): Promise<void> {
  const pipeline = redis.pipeline();
  for (const { stream, entries } of deliveries) {
    const ids = entries.map(({ id }) => id);
    pipeline.xack(stream, GROUP, ...ids).xdel(stream, ...ids);
  }
  await pipeline.exec();
}

async function runWorker(port: number): Promise<void> {
  const database = openPostgres('bare-worker');
  const corridors = await database.query<{ corridor: string }>({
    name: 'list-corridors',
    text: 'select corridor from shared.corridors order by corridor',
  });
  const streams = streamsOf(
    MARKET,
    corridors.map(({ corridor }) => corridor),
    1,
  ).map(({ transactions }) => transactions);
  const commands = openRedis();
  await ensureGroups(commands, streams);
  const partitions = createPartitionGuard(database);
  const scoreAlone = createAloneScorer();
  let madeUp: ReturnType<typeof scoreAlone> | undefined;
  let scored = 0;
  let isEnding = false;
  const readers = Array.from({ length: READERS }, (_, at) => ({
    ...{ redis: openRedis(), script: loadReadScript(), streams },
    consumer: `${hostname()}-${process.pid}-${at}`,
  }));
  const drive = async (reader: Reader) => {
    while (!isEnding) {
      const deliveries = await readBatch(reader);
      if (deliveries.length === 0) continue;
      const transactions = deliveries.flatMap(({ entries }) =>
        entries.map(({ version, packed }) => decodeEntry(version, packed).transaction),
      );
      const [first] = transactions;
      if (first !== undefined) madeUp ??= scoreAlone(first);
      if (madeUp === undefined) continue;
      const same = { ...madeUp, model: null, attempts: 1, degradation: 0 };
      await partitions.ensure(transactions.map(({ createdAtMs }) => createdAtMs));
      const lineage = { featureSchema: FEATURE_SCHEMA, ruleSet: RULE_SET };
      const won = await insertScores(
        database,
        transactions.map((transaction) => ({ ...transaction, ...same })),
        { ...lineage, scoredAtMs: Date.now() },
      );
      await acknowledge(commands, deliveries);
      scored += won.size;
    }
  };
  const driven = Promise.all(readers.map(drive));
  await servePlainly({
    ...{ port, scored: () => scored },
    close: async () => {
      isEnding = true;
      await driven;
      for (const { redis } of readers) redis.disconnect();
      commands.disconnect();
      await database[Symbol.asyncDispose]();
    },
  });
}

const [role] = process.argv.slice(2);
if (role === 'api') await runApi(Number(process.env['PORT']));
else await runWorker(Number(process.env['RISK_WORKER_PORT']));
