/**
 * Goal: what the engine reads of some months locks these months alone, whatever other months there are and whatever plan Postgres
 * takes. Method: the engine's own statements run so often within one database transaction that Postgres makes their generic plans;
 * then the transaction's locks are read.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Transaction } from '../../src/core/domain/transaction.ts';
import { listDeadLettersOfScored } from '../../src/core/store/dead-letters/dead-letters.ts';
import { insertLabels } from '../../src/core/store/labels/insert-labels.ts';
import { readStoredHistory } from '../../src/core/store/labels/label-history.ts';
import {
  findFraudParties,
  findLoggedFeature,
  findParties,
} from '../../src/core/store/labels/labelled-transactions.ts';
import { findFinal } from '../../src/core/store/open-rows/lost-rows.ts';
import { ensurePartitions } from '../../src/core/store/partitions/partitions.ts';
import { loadAccountPasts, loadMerchantPasts } from '../../src/core/store/profiles/history.ts';
import { readHourRows, readHours } from '../../src/core/store/profiles/merchant-hours.ts';
import { readSnapshots } from '../../src/core/store/profiles/profile-snapshots.ts';
import { findScore, readScoreRecord } from '../../src/core/store/scores/read-scores.ts';
import { sampleVectors } from '../../src/core/store/scores/score-window.ts';
import { readStoredScores } from '../../src/core/store/scores/stored-scores.ts';
import { createTallies } from '../../src/core/store/tallies/fold-tallies.ts';
import {
  loadTransactionRows,
  loadTransactions,
  loadUnscored,
  readStoredTransaction,
} from '../../src/core/store/transactions/read-transactions.ts';
import { readReceivedAtMs } from '../../src/core/store/transactions/transactions.ts';
import type { Database, Query } from '../../src/kit/database/pool.ts';
import { DAY_MS } from '../../src/kit/words/range.ts';
import { readScoreTexts } from '../../src/rooms/evidence/store/unsealed.ts';
import { locateReviewed } from '../../src/rooms/review/store/reviewed.ts';
import { crossHits } from '../../src/rooms/rules/cross-hits.ts';
import { findNear } from '../../src/rooms/search/queries/neighbours.ts';
import { loadFound } from '../../src/rooms/search/store/found-rows.ts';
import { readLatencies } from '../../src/rooms/status/store/latency-sample.ts';
import { findClients, locateDecided } from '../../src/rooms/webhooks/store/decided-scores.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';

const NOW = Date.now();
const OLD = Date.UTC(2001, 2, 10);
/** A generic plan is made for the sixth execution. */
const EXECUTIONS = 7;

const idOf = (atMs: number) => idAt(atMs, 7);
const testDatabase = await openForFile(createTestDatabase());
beforeAll(async () => {
  await using database = testDatabase.open();
  const since2000 = Array.from({ length: 60 }, (_, month) => 2000 * 12 + month);
  for (let at = 0; at < 60; at += 12)
    await ensurePartitions(database, since2000.slice(at, at + 12));
  await storeTransactions(database, [
    { id: idOf(NOW), createdAtMs: NOW, score: 1 },
    { id: idOf(OLD), createdAtMs: OLD, score: 1 },
  ]);
  await testDatabase.sql(
    `insert into dead_letters (dead_letter_id, transaction_id, created_at, account_id, corridor, stream, entry_id, attempts,
                               error_code, error, entry, failed_at)
     select gen_random_uuid(), transaction_id, created_at, account_id, corridor, 's', '1-0', 1, 'E', 'e', '{}', now()
       from scores where transaction_id = $1`,
    [idOf(NOW)],
  );
  await testDatabase.sql(
    `insert into profile_snapshots (kind, party, folded_to, folded_at, rows_from, snapshot)
     values ('account', 'acc_2', pg_snapshot_xmin(pg_current_snapshot()), now(), now(), '')`,
  );
  await createTallies(database, Math.random).fold();
  // The old row was stored just now, so that a fold would look so far back.
  await testDatabase.sql('delete from late_rows');
  await testDatabase.sql("insert into tallied_merchants values ('m_2')");
});

const transactionAt = (createdAtMs: number): Transaction => ({
  ...{ transactionId: idOf(createdAtMs), createdAtMs, receivedAtMs: createdAtMs },
  ...{ accountId: 'acc_1', merchantId: 'm_1', amount: '10.00', currency: 'USD', corridor: 'US-EG' },
  ...{ type: null, ip: null, deviceId: null, country: null, channel: null, declared: null },
});
const labelAt = (createdAtMs: number) => ({
  ...{ transactionId: idOf(createdAtMs), createdAtMs, labelledAtMs: NOW, label: 'fraud' as const },
  ...{ source: 'chargeback', note: null, accountId: 'acc_1', merchantId: 'm_1' },
  amountToMedian: null,
});
const readAll = (rows: AsyncIterable<unknown>) => Array.fromAsync(rows);

/** Months whose tables or indexes are locked when some work has been done several times. */
async function monthsLockedBy(
  work: (query: Query, database: Database) => Promise<unknown>,
): Promise<string[]> {
  await using database = testDatabase.open({ connectionsMax: 1 });
  return await database.transaction(async (query) => {
    const transaction: Database['transaction'] = (inner) => inner(query);
    for (let nth = 0; nth < EXECUTIONS; nth++) {
      await work(query, { ...database, query, write: query, transaction });
    }
    return await lockedMonths(query);
  });
}

async function lockedMonths(query: Query): Promise<string[]> {
  const rows = await query<{ month: string }>({
    text: `select distinct substring(relname from 'y\\d{4}m\\d{2}') as month
             from pg_locks l join pg_class c on c.oid = l.relation
            where l.pid = pg_backend_pid() and relname ~ 'y\\d{4}m\\d{2}' order by month`,
  });
  return rows.map(({ month }) => month);
}

type Work = (atMs: number, query: Query, database: Database) => Promise<unknown>;
/** Reads of one row, or of rows near it in time. */
const NEAR: Readonly<Record<string, Work>> = {
  'a score': (at, _, primary) =>
    findScore({ primary, replica: null, now: Date.now }, idOf(at), 'x'),
  'a score with its vector': (at, query) => readScoreRecord({ query }, idOf(at), at),
  'a transaction': (at, query) => readStoredTransaction({ query }, idOf(at), at, null),
  'the receipt of a transaction': (at, query) =>
    readReceivedAtMs({ query }, { transactionId: idOf(at), createdAtMs: at }),
  'transactions of an entry': (at, query) => loadTransactions({ query }, [idOf(at)]),
  'transactions of an open row': (at, query) => loadUnscored({ query }, [idOf(at)]),
  'rows of an export': (at, query) => loadTransactionRows({ query }, [idOf(at)]),
  'stored scores of a batch': (at, query) => readStoredScores({ query }, [transactionAt(at)]),
  'what is final': (at, query) => findFinal({ query }, [idOf(at)]),
  'labels of a transaction': (at, query) => readStoredHistory({ query }, idOf(at), at, 10),
  'a label that is stored': (at, query) =>
    insertLabels(query, {
      ...{ batchId: idOf(NOW), receivedAtMs: NOW, labels: [labelAt(at)] },
      reporter: { client: 'default', identity: null },
    }),
  'parties of labels': (at, query) => findParties(query, [idOf(at)]),
  'parties of frauds': (at, query) => findFraudParties(query, [idOf(at)]),
  'the logged feature of labels': (at, query) => findLoggedFeature(query, [idOf(at)], 1),
  'rows that a search found': (at, query) => loadFound({ query }, [{ atMs: at, id: idOf(at) }]),
  'transactions near another': (at, query) =>
    findNear(
      { query },
      {
        ...{ transactionId: idOf(at), createdAtMs: at, party: { account_id: 'acc_1' } },
        ...{ direction: 'before', reachMs: DAY_MS, rowsMax: 5, client: null },
      },
    ),
  'transactions that are reviewed': (at, query) => locateReviewed(query, [idOf(at)], 'USD'),
  'scores of an event': (at, query) => locateDecided(query, [idOf(at)]),
  'clients of an event': (at, query) => findClients(query, [idOf(at)]),
  'scores that are sealed': (at, query) => readScoreTexts(query, [idOf(at)]),
  'a sample of scores': (at, query) =>
    sampleVectors(query, { fromMs: at - DAY_MS, toMs: at }, 10, new AbortController().signal),
  'hits of rules': (at, query) =>
    crossHits({ query }, { corridor: undefined, firstMs: at - DAY_MS, nowMs: at }),
};

describe.each([
  ['now', NOW],
  ['long ago', OLD],
])('a time of %s', (_, at) => {
  test.each(Object.entries(NEAR))('%s: its quarter of the year is locked', async (_, work) => {
    const locked = await monthsLockedBy((query, database) => work(at, query, database));
    expect(locked.length).toBeLessThanOrEqual(6);
  });

  test.each<[string, Work]>([
    ['accounts', (at, query) => readAll(loadAccountPasts(query, [transactionAt(at)]))],
    ['merchants', (at, query) => readAll(loadMerchantPasts(query, [transactionAt(at)], 7))],
    ['rows of hours', (at, query) => readHourRows(query, [{ merchantId: 'm_1', hourMs: at }])],
  ])('the past of %s: its reach is locked', async (_, work) => {
    const locked = await monthsLockedBy((query, database) => work(at, query, database));
    const apart = locked.filter(
      (month) => Math.abs(yearOf(month) - new Date(at).getUTCFullYear()) > 1,
    );
    expect(apart).toEqual([]);
  });
});

const yearOf = (month: string) => Number(month.slice(1, 5));

test.each<[string, (query: Query, database: Database) => Promise<unknown>]>([
  ['snapshots of accounts', (query) => readSnapshots(query, 'account', [transactionAt(NOW)])],
  ['snapshots of merchants', (query) => readSnapshots(query, 'merchant', [transactionAt(NOW)])],
  ['dead letters with a score', (query) => listDeadLettersOfScored({ query })],
  ['the latency of the newest scores', (query) => readLatencies({ query }, NOW)],
  [
    'rows of late merchants',
    async (query) => {
      const others = [{ merchantId: 'm_2', sinceMs: NOW }];
      const { mark } = await readHours(query, NOW - 100 * DAY_MS, undefined, [], others);
      await readHours(query, NOW - 100 * DAY_MS, mark, ['m_1'], others);
    },
  ],
  ['rows that tallies lack', (_, database) => createTallies(database, Math.random).fold()],
])('%s: no month of long ago is locked', async (_, work) => {
  const locked = await monthsLockedBy(work);
  expect(locked.filter((month) => yearOf(month) < 2020)).toEqual([]);
});

test('points years apart are read by several statements, each with its own months', async () => {
  const points = [transactionAt(NOW), transactionAt(OLD), transactionAt(NOW - DAY_MS)];
  const locked = await monthsLockedBy((query) => readAll(loadAccountPasts(query, points)));
  const between = locked.filter((month) => yearOf(month) > 2002 && yearOf(month) < 2020);
  expect(between).toEqual([]);
});
