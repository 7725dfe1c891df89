/**
 * Goal: labels are counted by what decides now, also where the month of their transaction is detached meanwhile.
 * Method: the engine's own statements against a real Postgres, one database transaction held open.
 */
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { LabelValue } from '../../src/core/domain/label.ts';
import { insertLabels } from '../../src/core/store/labels/insert-labels.ts';
import { attachMonth, detachMonth } from '../../src/core/store/partitions/detach-months.ts';
import { partitionName } from '../../src/core/store/partitions/partitions.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { MONTH_DETACHED, monthOf } from '../../src/kit/words/month.ts';
import { engineOf } from '../../src/kit/words/principal.ts';
import { createTestDatabase } from '../support/database.ts';
import { openForFile } from '../support/open-for-file.ts';
import { recountDays } from '../support/recount-days.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const DEADLINE_MS = 30_000;
const AT_MS = Date.UTC(2026, 4, 31, 12);
const HOUR_MS = 3_600_000;
const reporter = { client: 'default', identity: null };

const testDatabase = await openForFile(createTestDatabase());
const database = await openForFile(
  testDatabase.open({ lockTimeoutMs: DEADLINE_MS, statementTimeoutMs: DEADLINE_MS }),
);
const [id = ''] = await storeTransactions(database, [{ createdAtMs: AT_MS, score: 10 }]);

const add = (query: Query, label: LabelValue, hours: number) =>
  insertLabels(query, {
    ...{ batchId: randomUUID(), receivedAtMs: AT_MS + 24 * HOUR_MS, reporter },
    labels: [
      {
        ...{ transactionId: id, createdAtMs: AT_MS, accountId: 'acc_1', merchantId: 'm_1', label },
        ...{ labelledAtMs: AT_MS + hours * HOUR_MS, source: 'bank', amountToMedian: null },
        note: null,
      },
    ],
  });
await database.transaction((query) => add(query, 'legitimate', 2));

async function counts(): Promise<Record<string, number>> {
  const { different } = await recountDays(database);
  const rows = await testDatabase.sql<{ outcome: string; count: number }>(
    `select outcome, sum(count)::int as count from daily_increments
      where outcome in ('fraud', 'legitimate') group by 1 having sum(count) <> 0`,
  );
  return { different, ...Object.fromEntries(rows.map(({ outcome, count }) => [outcome, count])) };
}

test('a transaction of a detached month takes no label, and keeps what is counted of it', async () => {
  const month = monthOf(AT_MS);
  await detachMonth(database, month);
  await expect(database.transaction((query) => add(query, 'fraud', 3))).rejects.toMatchObject({
    code: MONTH_DETACHED,
  });
  expect(await counts()).toEqual({ different: 0, legitimate: 1 });
  await attachMonth(database, month, engineOf('test'));
  await database.transaction((query) => add(query, 'fraud', 3));
  await database.transaction((query) => add(query, 'legitimate', 3));
  expect(await counts()).toEqual({ different: 0, fraud: 1 });
});

test('a label whose transactions are detached between its lock and its insert is counted', async () => {
  const month = monthOf(AT_MS);
  const isDetaching = async () => {
    const [row] = await testDatabase.sql<{ is: boolean }>(
      `select inhdetachpending as is from pg_inherits
        where inhrelid = to_regclass($1)`,
      [partitionName('transactions', month)],
    );
    return row?.is === true;
  };
  const { detached } = await database.transaction(async (query) => {
    let detached: Promise<boolean> | null = null;
    const detachAfterLock: Query = async <Row extends object>(
      ...[statement, values]: Parameters<Query>
    ) => {
      const rows = await query<Row>(statement, values);
      if (statement.name === 'lock-labelled') {
        detached = detachMonth(database, month);
        await waitUntil(isDetaching, DEADLINE_MS, 'the detach to wait for this transaction');
      }
      return rows;
    };
    await add(detachAfterLock, 'legitimate', 4);
    return { detached };
  });
  expect(await detached).toBe(true);
  expect(await counts()).toEqual({ different: 0, legitimate: 1 });
  await attachMonth(database, month, engineOf('test'));
  expect(await counts()).toEqual({ different: 0, legitimate: 1 });
});
