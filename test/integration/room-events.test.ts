/**
 * Goal: decisions of one room become final and reach the webhooks of another, also while outboxes of both fail. Method: a worker
 * with all rooms, and triggers that refuse to empty an outbox.
 */
import { expect, test } from 'vitest';
import { insertPersonKey } from '../support/people.ts';
import { reviewingOn } from '../support/rooms/review/rig.ts';
import { openWebhooks } from '../support/rooms/webhooks/rig.ts';
import { idAt, storeTransactions } from '../support/stored-rows.ts';
import { waitUntil } from '../support/wait-until.ts';
import { createWorkerRig } from '../support/worker-rig.ts';

test('decisions become final, and are events, while other outboxes fail', async () => {
  await using rig = await createWorkerRig();
  const { sql } = rig.database;
  await openWebhooks(rig.pool).make('http://127.0.0.1:9/', {
    event_types: ['transaction.final_decision'],
  });
  await sql(`insert into review_policies (made_by, policy)
             select 'test', policy || '{"undo_seconds": 0}' from review_policies order by version desc limit 1`);
  const unknown = [[idAt(Date.UTC(2015, 1))]];
  await sql('insert into outbox_decided (transaction_ids) values ($1)', unknown);
  await sql(`insert into outbox_review (source, transaction_ids) values ('score', $1)`, unknown);
  const failing = ['outbox_decided', 'outbox_review'];
  for (const table of failing)
    await sql(`create trigger stays before delete on ${table} execute function refuse_change()`);
  const [id = ''] = await storeTransactions(rig.pool, [{ createdAtMs: Date.UTC(2026, 10, 20) }]);
  const keyId = (await insertPersonKey(rig.database, 'Ann', ['analyst'])).split('_')[1] ?? '';
  const ann = { name: 'Ann', keyId, request: 'test', isOfficer: false };
  const reviewing = reviewingOn(rig.pool);
  await reviewing.open(id, null, ann);
  await reviewing.claim(id, ann);
  await reviewing.decide(id, { disposition: 'fraud', reason: 'seen' }, ann);
  rig.startWorker();
  const listed = () =>
    sql<{ decisions: number }>('select sum(decisions)::int4 as decisions from webhook_deliveries');
  await waitUntil(async () => (await listed())[0]?.decisions === 1, 15_000, 'the delivery');
  for (const table of failing) expect(await sql(`select from ${table}`)).toHaveLength(1);
});
