/**
 * Goal: nothing escapes between the commit that stores scores and the seal. Method: rows that are changed by hand before they are
 * sealed, and a store that a change of switches holds up while a log begins.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkLog } from '../../../../src/rooms/evidence/check/check.ts';
import { readPublished } from '../../../../src/rooms/evidence/seal/published.ts';
import { readNewestLog } from '../../../../src/rooms/evidence/store/evidence-log.ts';
import { type EvidenceRig, openEvidenceRig, sealAll } from '../../../support/rooms/evidence/rig.ts';
import { waitUntil } from '../../../support/wait-until.ts';

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
  await sealAll(sealer);
  const [deleted, edited] = await rig.store(4);
  await sql('delete from scores where transaction_id = $1', [deleted]);
  await sql('update scores set attempts = attempts + 1 where transaction_id = $1', [edited]);
  await sealAll(sealer);
  const { scores, findings } = await check();
  expect(scores).toBe(4);
  expect(findings).toEqual([
    { attack: 'deleted', what: `the score ${deleted}` },
    { attack: 'edited', what: `the score ${edited}` },
  ]);
});

test('a store under way while a log begins does not see the log, and its scores are older than the log', async () => {
  const { sql } = rig.testDatabase;
  const isWaiting = async () =>
    (
      await sql(
        `select from pg_locks where relation = 'switches'::regclass and mode = 'ShareLock' and not granted`,
      )
    ).length > 0;
  const { promise: changed, resolve: change } = Promise.withResolvers<void>();
  const { promise: held, resolve: hold } = Promise.withResolvers<void>();
  const switching = rig.database.session(async (client) => {
    await client.query('begin; lock table market_0.switches in share row exclusive mode');
    hold();
    await changed;
    await client.query('commit');
  });
  await held;
  // The statement has its snapshot, and takes its number once the change of switches is over.
  const late = rig.store(3);
  await waitUntil(isWaiting, 10_000, 'a store');
  const sealer = rig.openSealer();
  await sealAll(sealer);
  change();
  await Promise.all([switching, late]);
  await rig.store(2);
  await sealAll(sealer);
  expect(await check()).toMatchObject({ findings: [], scores: 2 });
});
