/**
 * A small world in which everything the checker states holds: a few transactions in Postgres, their
 * scores, events and profiles, and the ledger of the client that sent them.
 */
import { Redis } from 'ioredis';
import pg from 'pg';
import { marketUrl } from '../../../bench/support/market.ts';
import { NO_FRAUDS } from '../../../src/core/domain/history.ts';
import type { Transaction } from '../../../src/core/domain/transaction.ts';
import { accountKind, merchantKind } from '../../../src/core/profile/kinds.ts';
import type { Profile, ProfileKind } from '../../../src/core/profile/profile.ts';
import { encodeSnapshot } from '../../../src/core/profile/profile.ts';
import { GROUP, profileKey, streamKeys } from '../../../src/core/stream/keys.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { foldRow } from '../../support/fold-one.ts';
import { insertKey } from '../../support/key-rows.ts';
import { idAt, storeTransactions } from '../../support/stored-rows.ts';
import { checkAtRest } from './checker.ts';
import { type Ledger, openLedger, type SeenScore } from './ledger.ts';
import { MARKET } from './streams.ts';

export const STREAM = streamKeys(MARKET, 'US-EG', 0);
export const START_MS = Date.UTC(2026, 9, 1);
export const COUNT = 5;

export type World = Awaited<ReturnType<typeof openWorld>>;

export function transactionAt(n: number): Transaction {
  const createdAtMs = START_MS + n * 60_000;
  return {
    ...{ transactionId: idAt(createdAtMs, n), createdAtMs, receivedAtMs: createdAtMs },
    ...{ accountId: 'acc_1', merchantId: 'm_1', amount: '10.00', currency: 'USD' },
    ...{ corridor: 'US-EG', type: null, ip: null, deviceId: null, country: null, channel: null },
    declared: null,
  };
}

async function store(database: TestDatabase, transactions: readonly Transaction[], score?: number) {
  await using pool = database.open();
  await storeTransactions(
    pool,
    transactions.map(({ transactionId, createdAtMs }) => ({
      ...{ id: transactionId, createdAtMs },
      ...(score === undefined ? {} : { score }),
    })),
  );
}

async function storeProfile<P extends Profile, Past>(
  redis: Redis,
  kind: ProfileKind<P, Past>,
  past: Past,
  transactions: readonly Transaction[],
): Promise<void> {
  const profile = kind.rebuild(past);
  for (const transaction of transactions) foldRow(kind, profile, transaction);
  const [first] = transactions;
  if (first === undefined) throw new Error('a profile of nothing');
  const log = Buffer.from(encodeSnapshot(kind, profile, { high: 1, low: 2 }));
  await redis.set(profileKey(MARKET, kind.party, kind.partyOf(first) ?? ''), log);
}

export async function storeProfiles(
  redis: Redis,
  transactions: readonly Transaction[],
): Promise<void> {
  const knownFromMs = START_MS - 120 * 86_400_000;
  const floor = { createdAtMs: START_MS - 365 * 86_400_000, transactionId: idAt(0, 0) };
  await storeProfile(
    redis,
    accountKind,
    { rows: [], floor, ceiling: null, frauds: NO_FRAUDS },
    transactions,
  );
  const nothing = {
    rows: [],
    tallies: [],
    horizon: null,
    knownFromMs,
    ceiling: null,
    frauds: NO_FRAUDS,
  };
  await storeProfile(redis, merchantKind, nothing, transactions);
}

export async function openWorld(redisUrl: string) {
  const opened = new AsyncDisposableStack();
  const clone = opened.use(await createTestDatabase());
  const database = new pg.Client({ connectionString: marketUrl(clone.url) });
  await database.connect();
  opened.defer(() => database.end());
  const redis = opened.adopt(new Redis(redisUrl, { protocol: 2 }), (open) => open.disconnect());
  await redis.flushall();
  const transactions = Array.from({ length: COUNT }, (_, n) => transactionAt(n));
  const ids = transactions.map(({ transactionId }) => transactionId);
  await store(clone, transactions, 100);
  const ledger = openLedger();
  for (const [n, transactionId] of ids.entries()) {
    ledger.note({ kind: 'sent', keys: [`key-${n}`] });
    ledger.note({ kind: 'acknowledged', answers: [{ key: `key-${n}`, transactionId }] });
    const createdAtMs = transactions[n]?.createdAtMs ?? 0;
    ledger.note({ kind: 'replayed', key: `key-${n}`, transactionId, createdAtMs });
    await database.query(insertKey(`'default'`, '$2'), [`key-${n}`, transactionId]);
    await redis.xadd(STREAM.scored, '*', 'n', '1', 'scores', JSON.stringify([[transactionId]]));
  }
  await redis.xgroup('CREATE', STREAM.transactions, GROUP, '0', 'MKSTREAM');
  await storeProfiles(redis, transactions);
  await see(ledger, database);
  const figures = { 'status accepted': COUNT, 'status scored': COUNT, 'status dead_lettered': 0 };
  ledger.note({ kind: 'told', figures });
  const stores = { database, redis };
  return {
    ...{ stores, ledger, ids, transactions },
    breaches: async () => {
      const { checks } = await checkAtRest({ ...stores, databaseUrl: clone.url, ledger });
      return checks.filter(({ ok }) => !ok).map(({ invariant, check }) => `${invariant} ${check}`);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

/** The reads that the concurrent reader would have made. */
async function see(ledger: Ledger, database: pg.Client): Promise<void> {
  const { rows } = await database.query<SeenScore>(
    `select transaction_id::text as "transactionId", score::int,
            (extract(epoch from scored_at) * 1000)::float8 as "scoredAtMs" from scores`,
  );
  ledger.note({ kind: 'seen', scores: rows });
}
