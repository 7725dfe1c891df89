/**
 * Goal: nothing escapes between the commit that stores scores and the seal. Method: rows that are changed by hand before they are
 * sealed, and a statement whose snapshot is older than the log.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkLog } from '../../../../src/rooms/evidence/check/check.ts';
import { readPublished } from '../../../../src/rooms/evidence/seal/published.ts';
import { readNewestLog } from '../../../../src/rooms/evidence/store/evidence-log.ts';
import { type EvidenceRig, openEvidenceRig, sealAll } from '../../../support/rooms/evidence/rig.ts';

let rig: EvidenceRig;
beforeEach(async () => {
  rig = await openEvidenceRig();
});
afterEach(() => rig[Symbol.asyncDispose]());

async function check() {
  const log = await readNewestLog(rig.database.query);
  if (log === undefined) throw new Error('no log');
  const published = { file: await readPublished(rig.path), seen: undefined, keys: rig.keys };
  return await checkLog(rig.database.query, log, published, new AbortController().signal);
}

test('a score that is deleted or edited between its commit and its seal is named', async () => {
  const { sql } = rig.testDatabase;
  const sealer = rig.openSealer();
  await sealAll(sealer, rig.database);
  const [deleted, edited] = await rig.store(4);
  await sql('delete from scores where transaction_id = $1', [deleted]);
  await sql('update scores set attempts = attempts + 1 where transaction_id = $1', [edited]);
  await sealAll(sealer, rig.database);
  const { scores, findings } = await check();
  expect(scores).toBe(4);
  expect(findings).toEqual([
    { attack: 'deleted', what: `the score ${deleted}` },
    { attack: 'edited', what: `the score ${edited}` },
  ]);
});

test('a score is sealed whose statement stored it after the log began, and did not see the log', async () => {
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const late = rig.database.transaction(async (query) => {
    await query({ text: 'set transaction isolation level repeatable read' });
    // The snapshot of the transaction is that of this statement, which takes a number that the walk waits for.
    await query({ text: 'select pg_current_xact_id()' });
    open();
    await begun;
    await rig.store(3, { query, transaction: (work) => work(query) });
  });
  await opened;
  const sealer = rig.openSealer();
  await sealer.run(Date.now());
  begin();
  await late;
  expect(await rig.testDatabase.sql('select from evidence_intake')).toEqual([]);
  await sealAll(sealer, rig.database);
  expect(await check()).toMatchObject({ findings: [], scores: 3 });
});
