/**
 * Goal: what one room tells reaches the webhooks of another, also while other events fail. Method: a worker with all rooms, final
 * decisions of the review, and a trigger that refuses the intake of webhooks.
 */
import { expect, test } from 'vitest';
import { storeDecisions } from '../support/rooms/review/final-decisions.ts';
import { openWebhooks } from '../support/rooms/webhooks/rig.ts';
import { idAt } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

test('final decisions are events while the intake fails', async () => {
  const rig = await createWorkerRig();
  await using _ = rig;
  const { sql } = rig.database;
  await openWebhooks(rig.pool).make('http://127.0.0.1:9/', {
    event_types: ['transaction.final_decision'],
  });
  await sql(
    'create trigger intake_stays before delete on webhook_intake execute function refuse_change()',
  );
  await sql('insert into webhook_intake (transaction_ids) values ($1)', [
    [idAt(Date.UTC(2015, 1))],
  ]);
  await storeDecisions(rig.database, 2);
  rig.startWorker();
  const listed = () =>
    sql<{ decisions: number }>('select sum(decisions)::int4 as decisions from webhook_deliveries');
  await waitUntil(async () => (await listed())[0]?.decisions === 2, 15_000, 'the deliveries');
  expect(await sql('select from webhook_intake')).toHaveLength(1);
}, 60_000);
