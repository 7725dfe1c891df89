/**
 * Goal: the checker of the long proofs sees what it is there to see. Method: a small consistent world
 * in Postgres and Redis passes; each test breaks one thing and the checks that breach are exactly
 * those that name it.
 */
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Stores } from '../../bench/support/services.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { accountKind } from '../../src/profile/account-kind.ts';
import { merchantKind } from '../../src/profile/merchant-kind.ts';
import type { Profile, ProfileKind } from '../../src/profile/profile.ts';
import { GROUP, profileKey, streamKeys } from '../../src/stream/keys.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { startTestRedis, type TestService } from '../support/services.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import { checkAtRest } from './checker.ts';
import { type Ledger, openLedger } from './ledger.ts';
import { MARKET } from './streams.ts';

const STREAM = streamKeys(MARKET, 'US-EG', 0);
const START_MS = Date.UTC(2026, 9, 1);
const COUNT = 5;

let service: TestService;
beforeAll(async () => {
  service = await startTestRedis();
});
afterAll(async () => {
  await service[Symbol.asyncDispose]();
});

type World = {
  readonly stores: Stores;
  readonly ledger: Ledger;
  readonly ids: readonly string[];
  readonly transactions: readonly Transaction[];
  breaches(): Promise<string[]>;
  [Symbol.asyncDispose](): Promise<void>;
};

function transactionAt(n: number): Transaction {
  const createdAtMs = START_MS + n * 60_000;
  return {
    ...{ transactionId: idAt(createdAtMs, n), createdAtMs, receivedAtMs: createdAtMs },
    ...{ accountId: 'acc_1', merchantId: 'm_1', amount: '10.00', currency: 'USD' },
    ...{ corridor: 'US-EG', type: null, ip: null, deviceId: null, country: null, channel: null },
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

async function storeProfile<P extends Profile, History, Past>(
  redis: Redis,
  kind: ProfileKind<P, History, Past>,
  past: Past,
  transactions: readonly Transaction[],
): Promise<void> {
  const profile = kind.rebuild(past, null);
  for (const transaction of transactions) kind.fold(profile, transaction);
  const write = kind.pendingWrite(profile);
  const [first] = transactions;
  if (write?.offset !== 0 || first === undefined) throw new Error('a whole value is written');
  const value = Buffer.concat([write.bytes, Buffer.from(write.header, 'latin1')]);
  await redis.set(profileKey(MARKET, kind.party, kind.partyOf(first)), value);
}

async function storeProfiles(redis: Redis, transactions: readonly Transaction[]): Promise<void> {
  const knownFromMs = START_MS - 60 * 86_400_000;
  const floor = { createdAtMs: START_MS - 365 * 86_400_000, transactionId: idAt(0, 0) };
  await storeProfile(redis, accountKind, { rows: [], floor, ceiling: null }, transactions);
  const nothing = { rows: [], tallies: [], horizon: null, knownFromMs, ceiling: null };
  await storeProfile(redis, merchantKind, nothing, transactions);
}

async function openWorld(): Promise<World> {
  const opened = new AsyncDisposableStack();
  const clone = opened.use(await createTestDatabase());
  const database = new pg.Client({ connectionString: clone.url });
  await database.connect();
  opened.defer(() => database.end());
  const redis = opened.adopt(new Redis(service.url, { protocol: 2 }), (open) => open.disconnect());
  await redis.flushall();
  const transactions = Array.from({ length: COUNT }, (_, n) => transactionAt(n));
  const ids = transactions.map(({ transactionId }) => transactionId);
  await store(clone, transactions, 100);
  const ledger = openLedger();
  for (const [n, transactionId] of ids.entries()) {
    ledger.sending([`key-${n}`]);
    ledger.acknowledged([{ key: `key-${n}`, transactionId }]);
    await database.query(
      `insert into idempotency_keys values ('default', $1, sha256('x'), $2, now())`,
      [`key-${n}`, transactionId],
    );
    await redis.xadd(STREAM.scored, '*', 'transaction_id', transactionId);
  }
  await redis.xgroup('CREATE', STREAM.transactions, GROUP, '0', 'MKSTREAM');
  await storeProfiles(redis, transactions);
  const stores = { databaseUrl: clone.url, database, redis };
  return {
    ...{ stores, ledger, ids, transactions },
    breaches: async () => {
      const checks = await checkAtRest({ stores, ledger, eventsKept: true });
      return checks.filter(({ ok }) => !ok).map(({ check }) => check);
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

type Sabotage = readonly [
  what: string,
  doIt: (world: World) => Promise<unknown>,
  breaches: readonly string[],
];

const SABOTAGES: readonly Sabotage[] = [
  [
    'a lost score',
    ({ stores, ids }) =>
      stores.database.query('delete from scores where transaction_id = $1', [ids[0]]),
    ['lost: acknowledged without a score'],
  ],
  [
    'a second score of one transaction',
    ({ stores }) =>
      stores.database.query(
        `insert into scores
         select transaction_id, created_at + interval '1 second', scored_at, account_id, corridor, score, risk,
                probability, verdict, reasons, features, feature_schema, rule_set, model, attempts, degradation
           from scores limit 1`,
      ),
    ['doubled: score rows beyond one'],
  ],
  [
    'a transaction nobody was told of',
    ({ stores }) =>
      stores.database.query(
        `insert into transactions select '019a0000-0000-7000-8000-000000000000', created_at, received_at,
           'acc_2', 'm_2', corridor, amount, currency from transactions limit 1`,
      ),
    ['transactions nobody was told of'],
  ],
  [
    'a transaction that vanished',
    ({ stores, ids }) =>
      stores.database.query('delete from transactions where transaction_id = $1', [ids[0]]),
    [
      'acknowledged without a transaction',
      'account profiles unlike Postgres',
      'account profiles compared',
      'merchant profiles unlike Postgres',
      'merchant profiles compared',
    ],
  ],
  [
    'a key that was never answered',
    async ({ ledger }) => ledger.sending(['key-unanswered']),
    ['sent and never acknowledged'],
  ],
  [
    'a key answered with two transactions',
    async ({ ledger, ids }) => ledger.acknowledged([{ key: 'key-0', transactionId: ids[1] ?? '' }]),
    [
      'keys answered with two transactions',
      'transactions nobody was told of',
      'scores of unknown transactions',
      'keys that name another transaction',
    ],
  ],
  [
    'an open batch',
    ({ stores, ids }) =>
      stores.database.query('insert into ingest_batches values ($1, now(), $2)', [
        ids[0],
        [ids[0]],
      ]),
    ['open ingest batches'],
  ],
  [
    'an entry that waits',
    ({ stores }) => stores.redis.xadd(STREAM.transactions, '*', 'v', '1', 'd', '[]'),
    ['entries left in streams'],
  ],
  [
    'an entry delivered and not acknowledged',
    async ({ stores: { redis } }) => {
      await redis.xadd(STREAM.transactions, '*', 'v', '1', 'd', '[]');
      await redis.call('XREADGROUP', 'GROUP', GROUP, 'c', 'STREAMS', STREAM.transactions, '>');
    },
    ['entries left in streams', 'entries pending'],
  ],
  [
    'a retry that waits',
    ({ stores }) => stores.redis.zadd(STREAM.retries, 1, '[]'),
    ['retries waiting'],
  ],
  [
    'events that are missing',
    ({ stores }) => stores.redis.del(STREAM.scored),
    ['transactions without a scored event', 'scored events'],
  ],
  [
    'a transaction counted though it is not there',
    ({ stores, transactions }) =>
      storeProfiles(stores.redis, [...transactions, transactionAt(COUNT - 2.5)]),
    [
      'account profiles unlike Postgres',
      'account profiles compared',
      'merchant profiles unlike Postgres',
      'merchant profiles compared',
    ],
  ],
];

describe('checkAtRest', () => {
  test('holds for a consistent world', async () => {
    await using world = await openWorld();
    expect(await world.breaches()).toEqual([]);
  });

  test.each(SABOTAGES)('sees %s', async (_what, sabotage, breaches) => {
    await using world = await openWorld();
    await sabotage(world);
    expect(await world.breaches()).toEqual(breaches);
  });
});
