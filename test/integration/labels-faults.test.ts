/**
 * Goal: labels are added once, whatever their commit waits for, and are left to a worker where their profiles are away. Method: the
 * acceptance on real Postgres.
 */
import { expect, test } from 'vitest';
import { acceptLabels, type LabelIngest } from '../../src/core/accept/accept-labels.ts';
import { newTransactionId } from '../../src/core/accept/prepare-transactions.ts';
import type { Label } from '../../src/core/domain/label.ts';
import { insertLabels } from '../../src/core/store/labels/insert-labels.ts';
import { openUntold } from '../../src/core/store/labels/untold-labels.ts';
import { createPartitionGuard } from '../../src/core/store/partitions/partitions.ts';
import type { Database } from '../../src/kit/database/pool.ts';
import { createMetrics } from '../../src/kit/metrics/metrics.ts';
import { createTestDatabase } from '../support/database.ts';
import { storeTransactions } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';

const CREATED_MS = Date.UTC(2026, 9, 1, 10);
/** Less than the time after which Postgres checks for deadlocks. */
const RIVAL_LOCK_MS = 300;
const LABEL: Omit<Label, 'transactionId'> = {
  ...{ createdAtMs: CREATED_MS, accountId: 'acc_1', merchantId: 'm_1' },
  ...{
    label: 'fraud',
    amountToMedian: null,
    note: null,
    labelledAtMs: CREATED_MS + 7 * 24 * 60 * 60 * 1000,
    source: 'bank',
  },
};

function ingestOf(
  database: Database,
  invalidateLabelled: LabelIngest['invalidateLabelled'] = () => Promise.resolve(),
): LabelIngest {
  return {
    ...{ database, invalidateLabelled, metrics: createMetrics() },
    failpoint: () => undefined,
    partitions: createPartitionGuard(database),
    onLabelled: [],
  };
}

const fraudOf = (transaction_id: string) =>
  ({
    transaction_id,
    label: 'fraud',
    labelled_at: '2026-10-08T10:00:00Z',
    source: 'bank',
  }) as const;

const requestOf = (ids: readonly string[]) => ({
  ...{ client: 'default', identity: null, clientSeen: null },
  inputs: ids.map(fraudOf),
});

const transactions = (database: Database, rows: number) =>
  storeTransactions(
    database,
    Array.from({ length: rows }, () => ({ createdAtMs: CREATED_MS })),
  );

test('a request that waits behind another one for a labelled transaction is told so, not that the store is away', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  await using patient = testDatabase.open({ lockTimeoutMs: 30_000, statementTimeoutMs: 30_000 });
  await using hasty = testDatabase.open({ lockTimeoutMs: RIVAL_LOCK_MS });
  const [id = ''] = await transactions(database, 1);
  const isWaiting = async () =>
    (
      await testDatabase.sql(
        `select from pg_stat_activity where datname = $1 and wait_event_type = 'Lock'`,
        [testDatabase.name],
      )
    ).length === 1;
  const { first } = await patient.transaction(async (query) => {
    await insertLabels(query, {
      batchId: newTransactionId(CREATED_MS),
      ...{ receivedAtMs: Date.now(), reporter: { client: 'default', identity: null } },
      labels: [{ ...LABEL, transactionId: id }],
    });
    const first = acceptLabels(ingestOf(patient), requestOf([id]));
    await waitUntil(isWaiting, 30_000, 'the first request to wait for its rival');
    await expect(acceptLabels(ingestOf(hasty), requestOf([id]))).rejects.toMatchObject({
      ...{ kind: 'conflict', code: 'STILL_RUNNING' },
      message: expect.stringContaining('labels one of these transactions'),
    });
    return { first };
  });
  expect(await first).toMatchObject({ outcomes: [{ status: 'unchanged' }] });
});

test('labels are left to a worker at their age, however far the clock of their API is ahead', async () => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  const ids = await transactions(database, 1);
  const ingest = ingestOf(database, () => Promise.reject(new Error('profiles are away')));
  const aheadMs = Date.now() + 600_000;
  await expect(acceptLabels(ingest, requestOf(ids), aheadMs)).rejects.toThrow('profiles are away');
  const left = async () => (await openUntold(1).take(database.query)).rows.at(0);
  expect(await waitUntil(left, 30_000, 'labels of an age')).toEqual({
    ids: ids[0],
    weight: 1,
    row_id: '1',
  });
});

test.each([
  ['labelled_after_created', '2026-10-01T09:59:59.999Z', 'fraud', 'bank'],
  ['labelled_at_known', '2026-10-08T10:05:00.001Z', 'fraud', 'bank'],
  ['label_known', '2026-10-08T10:00:00Z', 'maybe', 'bank'],
  ['source_length', '2026-10-08T10:00:00Z', 'fraud', 'x'.repeat(65)],
])('the table refuses by %s what the edge refuses: %s %s', async (constraint, ...values) => {
  await using testDatabase = await createTestDatabase();
  await using database = testDatabase.open();
  await createPartitionGuard(database).ensure([CREATED_MS]);
  const insert = `insert into labels (client, transaction_id, created_at, labelled_at, label, source, received_at, batch_id, account_id, merchant_id)
    values ('default', gen_random_uuid(), '2026-10-01T10:00:00Z', $1, $2, $3, '2026-10-08T10:00:00Z', gen_random_uuid(), 'acc_1', 'm_1')`;
  await expect(testDatabase.sql(insert, values)).rejects.toMatchObject({ constraint });
});
