/**
 * Goal: the statements that take every key and every score for new are never wrong: where one is held
 * the others are stored, and nothing twice; one worker stores one batch of scores at a time. Method: large batches that
 * overlap, one after the other and at once, and a lock that they wait for.
 */
import { describe, expect, test } from 'vitest';
import { padded } from '../../src/core/domain/feature-rows.ts';
import { digestKeys } from '../../src/core/store/idempotency-keys/key-slices.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { toVector } from '../../src/core/store/scores/score-values.ts';
import { openScoreStore, storeScores } from '../../src/core/store/scores/scores.ts';
import {
  claimTransactions,
  type NewTransaction,
} from '../../src/core/store/transactions/transactions.ts';
import { planRows } from '../../src/core/stream/entries/producer.ts';
import { monthOf } from '../../src/kit/words/month.ts';
import { openTestDatabase } from '../support/database.ts';
import { insertPlainScores, type PlainScore, toNewScores } from '../support/delivered.ts';
import { holdOpen } from '../support/hold-open.ts';
import { openSlices } from '../support/key-rows.ts';
import { idAt } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const AT_MS = Date.UTC(2026, 2, 10);
const ROWS = 300;
const KEYS_MAX = 1000;
const FINGERPRINT = 'ab'.repeat(16);

const { testDatabase, database } = await openTestDatabase({ connectionsMax: 10 });
const slices = openSlices(database);
await ensurePartitions(database, [monthOf(AT_MS)]);

/** Sorted by key, as ingest hands them on. */
function transactions(prefix: string, count = ROWS, first = 0): NewTransaction[] {
  return Array.from({ length: count }, (_, index) => ({
    transactionId: idAt(AT_MS + index),
    createdAtMs: AT_MS + index,
    accountId: `acc_${index % 7}`,
    merchantId: `m_${index % 5}`,
    amount: '12.3400',
    currency: 'USD',
    corridor: 'US-EG',
    type: null,
    ip: null,
    deviceId: index % 3 === 0 ? `dev_${index}` : null,
    country: 'US',
    channel: null,
    declared: null,
    idempotencyKey: `${prefix}-${String(first + index).padStart(6, '0')}`,
    fingerprint: FINGERPRINT,
    metadata: index % 2 === 0 ? '{"order":"ü"}' : null,
  }));
}

/** Returns the held keys; the others are stored. */
async function claim(
  rows: readonly NewTransaction[],
  batchId = idAt(AT_MS),
): Promise<NewTransaction[]> {
  const planned = planRows(batchId, () => 1, rows);
  const batch = { client: 'default', transactions: rows, rows: planned };
  const claimed = await claimTransactions(database, slices, batch);
  if ('receivedAtMs' in claimed) return [];
  const { known: held } = claimed;
  if (held.size === rows.length) return [...held.keys()];
  const free = rows.filter((row) => !held.has(row));
  return [...held.keys(), ...(await claim(free, batchId))];
}

type Stored = { keys: number; transactions: number; open: number };

/** Rows of one test, and how many ids its open rows hold. */
async function stored(prefix: string): Promise<Stored | undefined> {
  const [row] = await testDatabase.sql<Stored>(
    `select count(*)::int as keys, count(t.transaction_id)::int as transactions,
            (select count(*)::int from open_rows b, unnest(b.transaction_ids) as id
              where id in (select transaction_id from idempotency_keys where digest = any($1::uuid[]))) as open
       from idempotency_keys k left join transactions t on t.transaction_id = k.transaction_id
      where k.digest = any($1::uuid[])`,
    [
      digestKeys(
        'default',
        transactions(prefix, KEYS_MAX).map((row) => row.idempotencyKey),
      ).array,
    ],
  );
  return row;
}

const everything = (rows: number): Stored => ({ keys: rows, transactions: rows, open: rows });

describe('claimTransactions', () => {
  test.each([1, 99, 100, 1000])('stores all of %i free keys, column by column', async (count) => {
    const prefix = `free${count}`;
    const rows = transactions(prefix, count);
    expect(await claim(rows)).toEqual([]);
    expect(await stored(prefix)).toEqual(everything(count));
    const [first] = await testDatabase.sql(
      `select account_id, merchant_id, amount::text, currency, corridor, type, ip, device_id, country,
              channel, metadata, created_at, received_at from transactions where transaction_id = $1`,
      [rows[0]?.transactionId],
    );
    expect(first).toEqual({
      ...{ account_id: 'acc_0', merchant_id: 'm_0', amount: '12.3400', currency: 'USD' },
      ...{ corridor: 'US-EG', type: null, ip: null, device_id: 'dev_0', country: 'US' },
      ...{ channel: null, metadata: { order: 'ü' } },
      ...{ created_at: new Date(AT_MS), received_at: expect.any(Date) },
    });
  });

  test.each([0, 150, ROWS - 1])('stores the others when the key at %i is held', async (at) => {
    const prefix = `held${at}`;
    await claim(transactions(prefix, 1, at));
    const rows = transactions(prefix);
    expect(await claim(rows)).toEqual([rows[at]]);
    expect(await stored(prefix)).toEqual(everything(ROWS));
  });

  test('hands on what is wrong with a value and stores nothing', async () => {
    const rows = transactions('wrong').map((row, index) => ({
      ...row,
      amount: index === ROWS - 1 ? '0' : row.amount,
    }));
    await expect(claim(rows)).rejects.toMatchObject({ kind: 'permanent', code: 'POSTGRES_23514' });
    expect(await stored('wrong')).toEqual(everything(0));
  });
});

describe('insertScores', () => {
  function scores(count: number, points: number): PlainScore[] {
    return Array.from({ length: count }, (_, index) => ({
      transactionId: idAt(AT_MS + index, points < 500 ? index : 1_000_000 + index),
      createdAtMs: AT_MS + index,
      accountId: `acc_${index % 7}`,
      corridor: 'US-EG',
      ...{ model: null, attempts: 1, degradation: 0, ruleSet: 'default@3' },
      features: Float64Array.of(index / 3, Number.NaN, -0, 5e-324),
      decision: {
        ...{ score: points, risk: points / 1000, probability: null },
        ...{ verdict: 'approve', reasons: [] },
      },
    }));
  }
  const insert = async (rows: readonly PlainScore[], scoredAtMs = AT_MS) => {
    const won = await insertPlainScores(database, rows, scoredAtMs);
    return won === 'all' ? ids(rows) : new Set(won.ids);
  };
  const ids = (rows: readonly PlainScore[]) => new Set(rows.map((row) => row.transactionId));

  test('returns what is new and leaves what was stored', async () => {
    const rows = scores(ROWS, 100);
    const [before, after] = [rows.slice(0, 100), rows.slice(100)];
    expect(await insert(before)).toEqual(ids(before));
    expect(await insert(rows, AT_MS + 1)).toEqual(ids(after));
    expect(await insert(rows, AT_MS + 2)).toEqual(new Set());
    const found = await testDatabase.sql<{ scored_at: Date; features: Buffer }>(
      `select scored_at, features from scores where transaction_id = any ($1::uuid[]) order by transaction_id`,
      [rows.map((row) => row.transactionId)],
    );
    expect(found.map((row) => row.scored_at.getTime())).toEqual(
      rows.map((_, index) => (index < 100 ? AT_MS : AT_MS + 1)),
    );
    expect(found.map((row) => toVector(row.features))).toEqual(
      rows.map(({ features }) => padded(Float64Array.from(features))),
    );
  });

  describe('of one worker', () => {
    /** Two batches at once, while the table is locked: the connections in use as soon as `backends` wait for it. */
    async function connectionsInUse(first: number, stallMs: number, backends: number) {
      await using own = testDatabase.open({ connectionsMax: 4 });
      const scoreStore = openScoreStore(own, [], stallMs);
      const rows = scores(ROWS, 100).map((row, index) => ({
        ...row,
        transactionId: idAt(row.createdAtMs, first + index),
      }));
      const store = (some: readonly PlainScore[]) =>
        storeScores(scoreStore, toNewScores(some), AT_MS, [], []);
      await store(rows.slice(0, 1));
      const rival = await holdOpen(database, 'lock table market.scores in exclusive mode');
      const inserted = Promise.all([store(rows.slice(1, 150)), store(rows.slice(150))]);
      try {
        await waitUntil(async () => (await waiting()) === backends, 5000, 'inserts to wait');
        return own.usage();
      } finally {
        await rival.letGo();
        expect(await inserted).toEqual(['all', 'all']);
      }
    }
    const waiting = async () => {
      const locks = await testDatabase.sql(
        `select from pg_locks where not granted and relation = 'market_0.scores'::regclass`,
      );
      return locks.length;
    };

    test('stores a batch after the other', async () => {
      const usage = await connectionsInUse(2_000_000, 60_000, 1);
      expect(usage).toMatchObject({ total: 1, idle: 0, waiting: 0 });
    });

    test('goes on with the next where one waits for a lock', async () => {
      const usage = await connectionsInUse(3_000_000, 1, 2);
      expect(usage).toMatchObject({ total: 2, idle: 0, waiting: 0 });
    });
  });
});
