/**
 * Goal: a batch that API and reconciler narrow at the same time keeps what both left, and is closed where that is
 * nothing; else its transactions would be appended again. Method: the first holds the row while the second waits for it.
 */
import { expect, test } from 'vitest';
import { createBatchCloser } from '../../src/core/accept/delete-appended-batches.ts';
import { END_OF_BATCHES, FIRST_BATCH } from '../../src/core/domain/open-batch.ts';
import {
  listOpenBatches,
  narrowIngestBatch,
  openIngestBatch,
} from '../../src/core/store/recovery/ingest-batches.ts';
import type { Query } from '../../src/kit/database/pool.ts';
import { Failure } from '../../src/kit/words/failure.ts';
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

test('the closer gathers ids, deletes many at once, and outlives a failure', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const batchIds = Array.from({ length: 152 }, (_, n) => idAt(Date.UTC(2026, 2, 10) + n));
  const [partly = '', next = '', ...others] = batchIds;
  await database.transaction(async (query) => {
    for (const id of batchIds) await openIngestBatch(query, id, [id, next]);
  });
  let statements = 0;
  let isDown = false;
  const query: Query = async (statement, values) => {
    if (isDown) throw new Failure('unavailable', 'X', 'x');
    statements += 1;
    return await database.query(statement, values);
  };
  const closer = createBatchCloser({ query }, { warn: () => undefined });
  const open = () => listOpenBatches(database, END_OF_BATCHES, FIRST_BATCH, 1000);
  for (const id of others) closer.close(id);
  closer.narrow(partly, [next]);
  await closer.flush();
  const left = (await open()).map(({ batchId, transactionIds }) => [batchId, transactionIds]);
  expect(new Map(left as [string, string[]][])).toEqual(
    new Map([
      [partly, [next]],
      [next, [next, next]],
    ]),
  );
  expect(statements).toBeLessThan(4);
  isDown = true;
  closer.close(partly);
  await closer.flush();
  isDown = false;
  closer.close(next);
  await closer.flush();
  expect((await open()).map(({ batchId }) => batchId)).toEqual([partly]);
});
