/**
 * Goal: a subscriber of checkpoints gets each checkpoint once, and needs the verifier alone to read it. Method: a sealer, the duty
 * that makes deliveries, and a receiver; verify/ opens what the receiver got.
 */
import { expect, test } from 'vitest';
import type { Worker } from '../../../../src/core/room.ts';
import { createLeadership } from '../../../../src/kit/duties/leadership.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { events } from '../../../../src/rooms/evidence/events.ts';
import { openWebhooks as openDuties } from '../../../../src/rooms/webhooks/duty.ts';
import { openCheckpoint } from '../../../../verify/note.ts';
import { silentLog, testConfig } from '../../../support/config.ts';
import { controlsOf } from '../../../support/controls.ts';
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
  expect(await sql('select from checkpoint_intake')).toEqual([]);
  await openWebhooks(database).make(receiver.url, { event_types: ['evidence.checkpoint'] });
  for (let nth = 0; nth < 3; nth++) await sealOne();
  // A sealer with nothing new signs nothing.
  await sealer.run(Date.now());

  const worker = {
    ...{ config: testConfig({}), log: silentLog(), metrics: createMetrics(), database, events },
    leadership: createLeadership(database, 'test'),
    controls: { current: controlsOf },
  } as unknown as Worker;
  const { duties } = await openDuties(worker);
  const raise = duties.find(({ name }) => name === 'raise-webhooks');
  for (let run = 0; run < 2; run++) await raise?.run(new AbortController().signal);
  expect(await sql('select from checkpoint_intake')).toEqual([]);
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
