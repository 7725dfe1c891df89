/**
 * Goal: a batch that API and reconciler narrow at the same time keeps what both left, and is closed where that is
 * nothing; else its transactions would be appended again. Method: the first holds the row while the second waits for it.
 */
import { expect, test } from 'vitest';
import { END_OF_BATCHES, FIRST_BATCH } from '../../src/domain/open-batch.ts';
import {
  listOpenBatches,
  narrowIngestBatch,
  openIngestBatch,
} from '../../src/store/recovery/ingest-batches.ts';
import { createTestDatabase } from '../support/database.ts';
import { idAt } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const AT_MS = Date.UTC(2026, 2, 10);
const ids = [0, 1, 2, 3].map((n) => idAt(AT_MS + n));
const [first = '', second = '', third = '', fourth = ''] = ids;

test.each([
  { left: 'nothing', byApi: [first, second], byReconciler: [third, fourth], expected: [] },
  {
    left: 'one',
    byApi: [first, second, third],
    byReconciler: [third, fourth],
    expected: [[third]],
  },
])('$left stays when each leaves a part', async ({ byApi, byReconciler, expected }) => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open({ connectionsMax: 3 });
  const batchId = idAt(AT_MS);
  await database.transaction((query) => openIngestBatch(query, batchId, ids));
  let later: Promise<void> | undefined;
  await database.transaction(async (query) => {
    await narrowIngestBatch({ query }, batchId, byApi, 'request');
    later = narrowIngestBatch(database, batchId, byReconciler, 'reconciler');
    const waiting = `select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    const isWaiting = async () => (await testDatabase.sql(waiting)).length === 1;
    await waitUntil(isWaiting, 10_000, 'the second to wait for the first');
  });
  await later;
  const open = await listOpenBatches(database, END_OF_BATCHES, FIRST_BATCH, 100);
  expect(open.map(({ transactionIds }) => transactionIds)).toEqual(expected);
});
