/**
 * Goal: no decision is lost if a worker is killed. Method: worker processes, and a trigger that waits.
 */
import { expect, test } from 'vitest';
import { insertScores } from '../../../../src/core/store/scores/scores.ts';
import { addHooked } from '../../../../src/rooms/webhooks/store/intake.ts';
import { toNewScores } from '../../../support/delivered.ts';
import { openWebhooks } from '../../../support/rooms/webhooks/rig.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig } from '../../../support/worker-rig.ts';

const STANDING = `select pid from pg_stat_activity where datname = current_database() and wait_event = 'advisory'`;

test('if a worker is killed between a list and its commit, the next one lists each decision once', async () => {
  const rig = await createWorkerRig();
  await using _ = rig;
  const { sql } = rig.database;
  const webhooks = openWebhooks(rig.pool);
  const { webhook_id: all } = await webhooks.make('http://127.0.0.1:9/');
  const { webhook_id: declines } = await webhooks.make('http://127.0.0.1:9/', {
    verdicts: ['decline'],
  });
  const startMs = Date.UTC(2026, 10, 20);
  const stored = await rig.store(
    Array.from({ length: 240 }, (_, index) => ({ createdAtMs: startMs + index })),
  );
  const scored = stored.map(({ transactionId, createdAtMs }, index) => {
    const verdict = index % 3 === 0 ? ('decline' as const) : ('review' as const);
    const decision = { score: 600, risk: 0.6, probability: null, verdict, reasons: [] };
    return {
      ...{ transactionId, createdAtMs, accountId: 'acc_1', corridor: 'US-EG', decision },
      ...{
        features: Float64Array.of(1),
        model: null,
        attempts: 1,
        degradation: 0,
        ruleSet: 'default@3',
      },
    };
  });
  for (let at = 0; at < scored.length; at += 80) {
    await insertScores(rig.pool, toNewScores(scored.slice(at, at + 80)), startMs, [addHooked]);
  }
  await sql(
    `create function stand_still() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock(37); return null; end'`,
  );
  await sql(
    'create trigger stands_still after insert on webhook_deliveries execute function stand_still()',
  );
  const pids = await rig.pool.transaction(async (query) => {
    await query({ name: 'hold', text: 'select pg_advisory_xact_lock(37)' });
    const killed = rig.spawnWorker();
    const standing = await waitUntil(
      async () => {
        // A transaction sees pg_stat_activity as it first read it; the other statement keeps the session of the lock.
        await query({ name: 'stay', text: 'select 1' });
        const found = await sql<{ pid: number }>(STANDING);
        return found.length > 0 && found.map(({ pid }) => pid);
      },
      60_000,
      'lists before their commit',
    );
    killed.kill('SIGKILL');
    await killed.exited;
    return standing;
  });
  await waitUntil(
    async () =>
      (await sql('select from pg_stat_activity where pid = any ($1)', [pids])).length === 0,
    20_000,
    'the end of its session',
  );
  await sql('drop trigger stands_still on webhook_deliveries');
  expect(await sql('select from webhook_deliveries')).toEqual([]);
  await using _next = rig.startWorker();
  await waitUntil(
    async () => (await sql('select from webhook_intake')).length === 0,
    60_000,
    'the next worker',
  );
  const listed = async (endpoint: string) =>
    (
      await sql<{ id: string }>(
        `select decision ->> 'transaction_id' as id
           from webhook_deliveries d cross join jsonb_array_elements(d.payload::jsonb -> 'data' -> 'decisions') decision
          where endpoint_id = $1 order by 1`,
        [endpoint],
      )
    ).map(({ id }) => id);
  const ids = (wanted: readonly { transactionId: string }[]) =>
    wanted.map(({ transactionId }) => transactionId).sort();
  expect(await listed(all)).toEqual(ids(scored));
  expect(await listed(declines)).toEqual(
    ids(scored.filter(({ decision }) => decision.verdict === 'decline')),
  );
}, 240_000);
