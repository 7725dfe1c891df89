/** Goal: a quiet corridor's batch passes the batches of a drain. Method: a lock keeps every score of the drain from being stored. */
import { expect, test } from 'vitest';
import { holdOpen } from '../support/hold-open.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds } from '../support/worker-rig.ts';

// Rows that are not committed hold up a statement that stores scores with the same keys.
const holdScores = {
  name: 'test-hold-scores',
  text: `insert into market.scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict,
           reasons, features, feature_schema, rule_set, attempts, degradation)
         select 0, transaction_id, created_at, created_at, account_id, corridor, 0, 0, 'approve', '[]', '', 3, 'default@3', 1, 0
           from market.transactions where corridor = 'US-EG'`,
};
// Duties wait for locks, too, before a batch is read.
const blocked = `select count(*)::int as count from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into%daily_increments%'`;
const scored = 'select corridor, count(*)::int as count from scores group by 1 order by 1';

test('a quiet corridor is scored while no batch of a drain can be stored', async () => {
  await using rig = await createWorkerRig();
  await rig.send(seeds(600));
  {
    await using _held = await holdOpen(rig.pool, (query) => query(holdScores));
    // A statement that is cancelled pauses the whole worker.
    rig.startWorker({ RISK_BATCH_ENTRIES: '100', RISK_STATEMENT_TIMEOUT_MS: '60000' });
    const isBlocked = async () =>
      ((await rig.database.sql<{ count: number }>(blocked))[0]?.count ?? 0) > 0;
    await waitUntil(isBlocked, 30_000, 'a batch of the drain');
    await rig.send([{ createdAtMs: Date.UTC(2026, 10, 2), corridor: 'US-MX' }]);
    const rows = () => rig.database.sql<{ corridor: string; count: number }>(scored);
    await waitUntil(async () => (await rows()).length > 0, 30_000, 'the quiet corridor');
    expect(await rows()).toEqual([{ corridor: 'US-MX', count: 1 }]);
  }
  expect(await rig.settled(601)).toMatchObject({ scored: 601, deadLetters: 0 });
});
