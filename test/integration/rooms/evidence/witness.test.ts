/**
 * Goal: a subscriber of checkpoints gets each checkpoint once, and needs the verifier alone to read it. Method: a sealer, the topic
 * that makes deliveries, and a receiver; verify/ opens what the receiver got.
 */
import { expect, test } from 'vitest';
import { applyRows } from '../../../../src/kit/outbox/outbox.ts';
import { EVENTS } from '../../../../src/rooms/webhooks/duty.ts';
import { openCheckpoint } from '../../../../verify/note.ts';
import { openEvidenceRig, sealAll } from '../../../support/rooms/evidence/rig.ts';
import { faultsOf } from '../../../support/rooms/webhooks/documented-event.ts';
import { startReceiver } from '../../../support/rooms/webhooks/receiver.ts';
import { openWebhooks, startSender } from '../../../support/rooms/webhooks/rig.ts';
import { waitUntil } from '../../../support/wait-until.ts';

test('a subscriber gets each checkpoint once, signed as in the log', async () => {
  await using rig = await openEvidenceRig();
  await using receiver = await startReceiver();
  const { database } = rig;
  const { sql } = rig.testDatabase;
  const sealer = rig.openSealer();
  const signed: string[] = [];
  const sealOne = async () => {
    await rig.store(1);
    await sealAll(sealer);
    const [row] = await sql<{ checkpoint: string }>('select checkpoint from evidence_logs');
    signed.push(row?.checkpoint ?? '');
  };
  await sealOne();
  expect(await sql('select from outbox_events')).toEqual([]);
  await openWebhooks(database).make(receiver.url, { event_types: ['evidence.checkpoint'] });
  for (let nth = 0; nth < 3; nth++) await sealOne();
  // A sealer with nothing new signs nothing.
  await sealer.run(Date.now());

  await applyRows(database, EVENTS);
  expect(await sql('select from outbox_events')).toEqual([]);
  await using _ = startSender(database);
  await waitUntil(async () => receiver.received.length >= 3, 10_000, 'the checkpoints');
  const told = receiver.received.map(({ body }) => JSON.parse(body));
  expect(told.flatMap(faultsOf)).toEqual([]);
  const notes = told.map(({ data }) => data.checkpoint);
  expect(notes.sort()).toEqual(signed.slice(1).sort());
  for (const { data } of told) {
    const { origin, size } = openCheckpoint(data.checkpoint, rig.trusted);
    expect(data).toMatchObject({ origin, size });
  }
});
