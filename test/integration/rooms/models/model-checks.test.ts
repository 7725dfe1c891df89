/**
 * Goal: a model whose artefact or golden vectors differ from what was registered never scores, and everybody
 * can see it. Method: rows are changed by SQL, then a worker is started.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type RollOut, startRollOut } from '../../../support/rolled-out.ts';
import { createWorkerRig, seeds, type WorkerRig } from '../../../support/worker-rig.ts';

let rig: WorkerRig;
let rollOut: RollOut;
beforeEach(async () => {
  rig = await createWorkerRig();
  rollOut = await startRollOut(rig.database);
});
afterEach(async () => {
  await rollOut[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

/** As the superuser of the database could. */
async function spoil(model: string, change: string): Promise<void> {
  await rig.database.sql(`
    alter table models disable trigger user;
    alter table models drop constraint model_id_is_sha256;
    update models set ${change} where model = '${model}';
    alter table models enable trigger user`);
}

async function scoreBy() {
  rig.startWorker();
  await rig.send(seeds(30));
  await rig.settled(30);
  const scores = await rig.database.sql<{ model: string | null; degradation: number }>(
    // A machine under load degrades further.
    'select distinct model, least(degradation, 1) as degradation from scores',
  );
  const checks = await rig.database.sql<{ model: string; passed: boolean; detail: string }>(
    'select model, passed, detail from model_checks join models using (model_id) order by check_id',
  );
  return { scores, checks };
}

test.each([
  ['artefact', "artefact = artefact || ' '::bytea", /hashes to/],
  ['golden margin', 'golden_margins[3] = golden_margins[3] + 0.0000001', /margin: run 1/],
  ['golden probability', 'golden_probabilities[1] = 0.123', /probability: run 1/],
  ['feature schema', 'feature_schema = 99', /this engine computes/],
])('a changed %s keeps the model from scoring', async (_, change, why) => {
  const model = await rollOut.register(1);
  await rollOut.put(model, 'active');
  await spoil(model, change);
  const { scores, checks } = await scoreBy();
  expect(scores).toEqual([{ model: null, degradation: 1 }]);
  expect(checks).toEqual([{ model, passed: false, detail: expect.stringMatching(why) }]);
});
