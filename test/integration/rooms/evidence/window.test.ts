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

test('a log begins once the stores under way have ended, as they do not see the log', async () => {
  const { sql } = rig.testDatabase;
  const locks = (relation: string, mode: string) =>
    sql(`select from pg_locks where relation = $1::regclass and mode = $2 and not granted`, [
      relation,
      mode,
    ]);
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
  await waitUntil(async () => (await locks('switches', 'ShareLock')).length > 0, 10_000, 'a store');
  const sealer = rig.openSealer();
  const runs = async () => {
    for (let run = 0; run < 3; run++) await sealer.run(Date.now()).catch(() => undefined);
  };
  const sealing = runs();
  const isWalked = async () => (await readNewestLog(rig.database.query))?.walkedTo === null;
  await waitUntil(
    async () => (await isWalked()) || (await locks('evidence_intake', 'ShareLock')).length > 0,
    10_000,
    'a log that begins',
  );
  change();
  await Promise.all([switching, late, sealing]);
  await sealAll(sealer, rig.database);
  expect(await check()).toMatchObject({ findings: [], scores: 3 });
});
