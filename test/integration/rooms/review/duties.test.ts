/** Goal: decisions become final although no case can be opened. Method: a worker whose intake Postgres does not let go. */
import { expect, test } from 'vitest';
import { insertPersonKey } from '../../../support/people.ts';
import { reviewingOn } from '../../../support/rooms/review/rig.ts';
import { idAt, storeTransactions } from '../../../support/stored-rows.ts';
import { waitUntil } from '../../../support/wait-until.ts';
import { createWorkerRig } from '../../../support/worker-rig.ts';

test('decisions become final while the intake fails', async () => {
  const rig = await createWorkerRig();
  await using _ = rig;
  const { sql } = rig.database;
  await sql(`insert into review_policies (made_by, policy)
             select 'test', policy || '{"undo_seconds": 0}' from review_policies order by version desc limit 1`);
  await sql(
    `create trigger intake_stays before delete on review_intake execute function refuse_change()`,
  );
  await sql(`insert into review_intake (source, transaction_ids) values ('score', $1)`, [
    [idAt(Date.UTC(2015, 1))],
  ]);
  const [id = ''] = await storeTransactions(rig.pool, [{ createdAtMs: Date.UTC(2026, 10, 20) }]);
  await insertPersonKey(rig.database, 'Ann', ['analyst']);
  const [key] = await sql<{ keyId: string }>('select key_id as "keyId" from api_keys');
  const ann = { name: 'Ann', keyId: key?.keyId ?? '', request: 'test', isOfficer: false };
  const reviewing = reviewingOn(rig.pool);
  await reviewing.open(id, null, ann);
  await reviewing.claim(id, ann);
  await reviewing.decide(id, { disposition: 'fraud', reason: 'seen' }, ann);
  rig.startWorker();
  const isFinal = async () => (await sql('select from final_decisions')).length === 1;
  await waitUntil(isFinal, 15_000, 'the decision to be final');
  expect(await sql('select from review_intake')).toHaveLength(1);
}, 60_000);
