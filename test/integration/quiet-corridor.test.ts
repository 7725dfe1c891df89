/** Goal: a quiet corridor's batch passes the batches of a drain. Method: a lock keeps every score of the drain from being stored. */
import { expect, test } from 'vitest';
import { GROUP } from '../../src/core/stream/keys.ts';
import { holdOpen } from '../support/hold-open.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig, seeds } from '../support/worker-rig.ts';

// Rows that are not committed hold up a statement that stores scores with the same keys.
const holdScores = {
  name: 'test-hold-scores',
  text: `insert into market.scores (features_crc32, transaction_id, created_at, scored_at, account_id, corridor, score, risk, verdict,
           reasons, features, feature_schema, rule_set, attempts, degradation)
         select 0, transaction_id, created_at, created_at, account_id, corridor, 0, 0, 'approve', '[]', '', 3, 'default@3', 1, 0
           from market.transactions t where corridor = 'US-EG'
              and not exists (select from market.scores s where s.transaction_id = t.transaction_id)`,
};
// Duties wait for locks, too, before a batch is read.
const blocked = `select count(*)::int as count from pg_stat_activity
  where datname = current_database() and wait_event_type = 'Lock' and query like '%insert into%daily_increments%'`;
const scored = 'select corridor, count(*)::int as count from scores group by 1 order by 1';
const settings = { RISK_BATCH_ENTRIES: '100', RISK_STATEMENT_TIMEOUT_MS: '60000' };
const quiet = [{ createdAtMs: Date.UTC(2026, 10, 2), corridor: 'US-MX' }];

type Rig = Awaited<ReturnType<typeof createWorkerRig>>;

async function untilBlocked({ database }: Rig): Promise<void> {
  const isBlocked = async () =>
    ((await database.sql<{ count: number }>(blocked))[0]?.count ?? 0) > 0;
  await waitUntil(isBlocked, 30_000, 'a batch of the drain');
}

const scoredBy = ({ database }: Rig) => database.sql<{ corridor: string; count: number }>(scored);

async function untilQuiet(rig: Rig, count = 1): Promise<void> {
  const isScored = async () =>
    (await scoredBy(rig)).some((row) => row.corridor === 'US-MX' && row.count === count);
  await waitUntil(isScored, 30_000, 'the quiet corridor');
}

test('a quiet corridor is scored while no batch of a drain can be stored', async () => {
  await using rig = await createWorkerRig();
  await rig.send(seeds(600));
  {
    await using _held = await holdOpen(rig.pool, (query) => query(holdScores));
    // A statement that is cancelled pauses the whole worker.
    rig.startWorker(settings);
    await untilBlocked(rig);
    await rig.send(quiet);
    await untilQuiet(rig);
    expect(await scoredBy(rig)).toEqual([{ corridor: 'US-MX', count: 1 }]);
  }
  expect(await rig.settled(601)).toMatchObject({ scored: 601, deadLetters: 0 });
});

test('a drain takes one batch at a time where another corridor had traffic before', async () => {
  await using rig = await createWorkerRig();
  // A new drain leaves room for a second in any case; a drain that goes on within ten seconds does not.
  await rig.send(seeds(600));
  rig.startWorker(settings);
  await rig.settled(600);
  const drainedMs = performance.now();
  await waitUntil(() => performance.now() - drainedMs > 1000, 5000, 'the first second to be over');
  await rig.send(quiet);
  await untilQuiet(rig);
  const drain = await rig.store(seeds(600, Date.UTC(2026, 10, 3)));
  {
    await using _held = await holdOpen(rig.pool, (query) => query(holdScores));
    await rig.append(drain);
    await untilBlocked(rig);
    await rig.send(quiet.map((seed) => ({ ...seed, createdAtMs: seed.createdAtMs + 1 })));
    await untilQuiet(rig, 2);
    // The read that met the drain took two of five entries: it waited for the first, and then took a second.
    const [pending] = (await rig.commands.xpending(rig.stream.transactions, GROUP)) as [number];
    expect(pending).toBeLessThanOrEqual(2);
  }
  expect(await rig.settled(1202)).toMatchObject({ scored: 1202, deadLetters: 0 });
});
