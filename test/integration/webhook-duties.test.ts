/** Goal: one kind of event that cannot be made keeps no other from it. Method: a worker whose intake Postgres does not let go. */
import { expect, test } from 'vitest';
import { storeDecisions } from '../support/final-decisions.ts';
import { idAt } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';
import { openWebhooks } from '../support/webhooks.ts';
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
  const events = () =>
    sql<{ id: string }>('select event_id as id from webhook_deliveries order by 1');
  await waitUntil(async () => (await events()).length === 2, 15_000, 'the deliveries');
  expect((await events()).map(({ id }) => id)).toEqual(['final_1', 'final_2']);
  expect(await sql('select from webhook_intake')).toHaveLength(1);
}, 60_000);
