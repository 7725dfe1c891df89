/**
 * Goal: what was rolled out is what scores, in its corridor and for its accounts; a model whose artefact or golden vectors differ from
 * what was registered never scores, and everybody can see it. Method: models registered and rolled out by the command, or changed by
 * SQL, workers on real stores, and the scores they leave behind.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SHADOWS_MAX } from '../../../../src/core/score/rollout/in-force.ts';
import { judgedVector } from '../../../../src/core/score/scorecard/judge-by-table.ts';
import { insertTable } from '../../../../src/core/store/scorecards/scorecards.ts';
import { toVector } from '../../../../src/core/store/scores/score-values.ts';
import { DAY_MS, HOUR_MS } from '../../../../src/kit/words/range.ts';
import { compareShadow } from '../../../../src/rooms/models/queries/comparison.ts';
import { openScoringModel } from '../../../../src/rooms/models/registry/scoring-model.ts';
import { readModel } from '../../../../src/rooms/models/store/models.ts';
import { insertControl } from '../../../support/controls.ts';
import { dayTable, newTable } from '../../../support/day-tables.ts';
import { type RollOut, startRollOut } from '../../../support/rolled-out.ts';
import { waitUntil } from '../../../support/wait-until.ts';
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

type Row = {
  account_id: string;
  corridor: string;
  model: string | null;
  probability: number | null;
  risk: number;
  features: Buffer;
  degradation: number;
  scored_at: Date;
};
const readScores = () => rig.database.sql<Row>('select * from scores order by transaction_id');

async function checksOf(model: string, passed = true): Promise<number> {
  const rows = await rig.database.sql(
    'select from model_checks join models using (model_id) where model = $1 and passed = $2',
    [model, passed],
  );
  return rows.length;
}

async function loaded(model: string): Promise<void> {
  await waitUntil(async () => (await checksOf(model)) > 0, 10_000, `${model} to be loaded`);
}

const toRow = ({ features }: { readonly features: Buffer }) =>
  judgedVector(toVector(features), null, 0);

test('an active model decides in its corridor alone, and the check that allowed it is on record', async () => {
  const model = await rollOut.register(1);
  await rollOut.put(model, 'active');
  rig.startWorker();
  await rig.send(seeds(60));
  await rig.send(seeds(20).map((seed) => ({ ...seed, corridor: 'US-MX' })));
  await rig.settled(80);
  const scores = await readScores();
  const ours = scores.filter(({ corridor }) => corridor === 'US-EG');
  expect(ours.map((row) => row.model)).toEqual(Array(60).fill(model));
  expect(scores.filter((row) => row.model === null)).toHaveLength(20);
  const { artefact, manifest } = await readModel(rig.pool, await rollOut.modelIdOf(model));
  const { judge } = openScoringModel(artefact, manifest);
  const opinions = judge(ours.map(toRow));
  expect(ours.map(({ probability }) => probability)).toEqual(
    opinions.map((opinion) => opinion?.probability),
  );
  expect(ours.every(({ risk, probability }) => risk === probability)).toBe(true);
  expect(scores.every(({ degradation }) => degradation === 0)).toBe(true);
  expect(await checksOf(model)).toBe(1);
});

test('a shadow is computed for all and changes nothing of a score', async () => {
  const model = await rollOut.register(1);
  await rollOut.put(model, 'shadow');
  rig.startWorker();
  await loaded(model);
  await rig.send(seeds(50));
  await rig.settled(50);
  const scores = await readScores();
  expect(scores.every((row) => row.model === null && row.probability === null)).toBe(true);
  // Logged at least once: a batch that was tried again is there twice.
  const shadows = await rig.database.sql<{ transaction_id: string; probability: number }>(
    `select distinct transaction_id, probability
       from shadow_batches, unnest(transaction_ids, probabilities) as s (transaction_id, probability) order by transaction_id`,
  );
  const { artefact, manifest } = await readModel(rig.pool, await rollOut.modelIdOf(model));
  const { judge } = openScoringModel(artefact, manifest);
  const opinions = judge(scores.map(toRow));
  expect(shadows.map(({ probability }) => probability)).toEqual(
    opinions.map((opinion) => opinion?.probability),
  );
});

test('the scorecard judges beside four shadows, and replaces none', async () => {
  const marks = Array.from({ length: SHADOWS_MAX }, (_, nth) => nth + 1);
  for (const mark of marks) await rollOut.put(await rollOut.register(mark), 'shadow');
  const paid = seeds(20, Date.now() - HOUR_MS);
  const day = Math.floor(Date.now() / DAY_MS) - 2;
  await insertTable(rig.pool.query, newTable(dayTable({ day })));
  rig.startWorker();
  for (const mark of marks) await loaded(`m@${mark}`);
  await rig.send(paid);
  await rig.settled(paid.length);
  const asked = await rig.database.sql(
    `select model, count(distinct id)::int as payments from shadow_batches join models using (model_id), unnest(transaction_ids) id
      group by model order by model`,
  );
  expect(asked).toEqual(marks.map((mark) => ({ model: `m@${mark}`, payments: paid.length })));
  const question = { reference: 'scorecard', days: '7' } as const;
  expect(await compareShadow(rig.pool, question, Date.now())).toMatchObject({ rows: paid.length });
});

test('no shadow is asked while its flag is off, and one is again once the flag is on', async () => {
  const model = await rollOut.register(1);
  await rollOut.put(model, 'shadow');
  await rig.database.sql(insertControl('off', 'flag:shadows'));
  rig.startWorker();
  await loaded(model);
  const unasked = await rig.send(seeds(20));
  await rig.settled(20);
  await rig.database.sql('delete from controls');
  const asked = async () =>
    await rig.database.sql<{ transaction_id: string }>(
      'select unnest(transaction_ids) as transaction_id from shadow_batches',
    );
  let sent = 20;
  const isAsked = async () => {
    await rig.send(seeds(1));
    await rig.settled(++sent);
    return (await asked()).length > 0;
  };
  await waitUntil(isAsked, 10_000, 'the shadow to be asked');
  const ids = new Set(unasked.map(({ transactionId }) => transactionId));
  expect((await asked()).filter((row) => ids.has(row.transaction_id))).toEqual([]);
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
