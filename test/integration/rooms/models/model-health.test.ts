/**
 * Goal: a model that fails or is slow leaves its corridor to the rules, which is seen, comes back when it
 * is well, and is rolled back by the engine when it fails again; other corridors do not notice. Method:
 * models made of functions in the place of registered ones, in workers on real stores.
 */
import { isDeepStrictEqual } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Room } from '../../../../src/core/room.ts';
import type { JudgingModel } from '../../../../src/core/score/judge.ts';
import { listModelsOut } from '../../../../src/core/stream/status/models-out.ts';
import type { Database } from '../../../../src/kit/database/pool.ts';
import { ROOMS } from '../../../../src/main/rooms.ts';
import { openModelsWorker } from '../../../../src/rooms/models/duty.ts';
import type { LoadModel } from '../../../../src/rooms/models/judge/open-judge.ts';
import { openModels } from '../../../../src/rooms/models/open-models.ts';
import { openScoringModel } from '../../../../src/rooms/models/registry/scoring-model.ts';
import { readModel } from '../../../../src/rooms/models/store/models.ts';
import { endControlIn, setControl } from '../../../support/controls.ts';
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

/** The registered model, with the calls replaced by a test's function. */
function spoiledBy(meets: () => void) {
  return async (database: Database, modelId: string): Promise<JudgingModel> => {
    const { artefact, manifest } = await readModel(database, modelId);
    const model = openScoringModel(artefact, manifest);
    if (model.name !== 'm@1') return model;
    return {
      ...model,
      judge(vectors) {
        meets();
        return model.judge(vectors);
      },
    };
  };
}

/** The rooms of a worker whose models are loaded by a function of the test. */
const withModels = (load: LoadModel, nowMs: () => number): Room[] => [
  ...ROOMS.filter(({ name }) => name !== 'models'),
  { name: 'models', worker: (worker) => openModelsWorker(worker, load, nowMs) },
];

/** A clock of models that a test may put forward. */
function openClock() {
  let aheadMs = 0;
  return {
    nowMs: () => performance.now() + aheadMs,
    skip: (ms: number) => {
      aheadMs += ms;
    },
  };
}
/** For as long the first failures suspend a model. */
const SUSPENDED_MS = 5000;

type Score = { model: string | null; degradation: number };
let sentMs = Date.UTC(2026, 10, 1);
/** Sends one transaction and waits for its score. */
async function scoreOne(corridor = 'US-EG'): Promise<Score> {
  sentMs += 1000;
  const [sent] = await rig.send(seeds(1, sentMs).map((seed) => ({ ...seed, corridor })));
  return await waitUntil(async () => {
    const text = 'select model, degradation from scores where transaction_id = $1';
    return (await rig.database.sql<Score>(text, [sent?.transactionId]))[0];
  }, 10_000);
}
/** A machine that answers slowly for two seconds raises the level of every score for eight. */
const untilScored = async (expected: Score, corridor?: string) =>
  await waitUntil(
    async () => isDeepStrictEqual({ ...(await scoreOne(corridor)) }, expected),
    20_000,
    JSON.stringify(expected),
  );
const BY_RULES = { model: null, degradation: 1 };
const BY_MODEL = { model: 'm@1', degradation: 0 };

test('a model that fails for a while is stood in for by the rules, and then comes back', async () => {
  await rollOut.put(await rollOut.register(1), 'active');
  let isBroken = true;
  let calls = 0;
  const load = spoiledBy(() => {
    calls += 1;
    if (isBroken) throw new Error('out of order');
  });
  const { nowMs, skip } = openClock();
  rig.startWorker({}, { rooms: withModels(load, nowMs) });
  for (let n = 0; n < 5; n++) expect((await scoreOne()).model).toBe(null);
  await untilScored(BY_RULES);
  expect(calls).toBe(3);
  const list = () => listModelsOut(rig.commands, rig.database.market);
  await waitUntil(async () => (await list()).length > 0, 5000, 'the model to be told as out');
  expect(await list()).toEqual([{ corridor: 'US-EG', model: 'm@1' }]);
  isBroken = false;
  skip(SUSPENDED_MS);
  await waitUntil(async () => (await scoreOne()).model === 'm@1', 15_000, 'a call on trial');
  for (let n = 0; n < 5; n++) expect((await scoreOne()).model).toBe('m@1');
  await untilScored(BY_MODEL);
  await waitUntil(async () => (await list()).length === 0, 10_000, 'nothing to be out');
});

test('a stopped model judges nothing, as after its rollback, until the stop has ended', async () => {
  const [first, second] = [await rollOut.register(2), await rollOut.register(1)];
  await rollOut.put(first, 'active');
  await rollOut.put(second, 'active');
  await rollOut.put(second, 'shadow', 'US-MX');
  let calls = 0;
  const load = spoiledBy(() => {
    calls += 1;
  });
  rig.startWorker({}, { rooms: withModels(load, () => performance.now()) });
  await untilScored(BY_MODEL);
  calls = 0;
  await untilScored({ model: null, degradation: 0 }, 'US-MX');
  expect(calls).toBeGreaterThan(0);
  const stop = (scope: string) => setControl(rig.pool, 'stop', scope);
  await stop('model:m@1');
  await waitUntil(async () => (await scoreOne()).model === first, 5000, 'the model before it');
  calls = 0;
  await untilScored({ model: first, degradation: 0 });
  await untilScored({ model: null, degradation: 0 }, 'US-MX');
  expect(calls).toBe(0);
  const { findInForce } = await openModels({ primary: rig.pool, replica: null, now: Date.now });
  const inForce = await findInForce({ corridor: 'US-EG', accountId: 'acc_1' });
  expect([inForce.model?.name, inForce.degradation]).toEqual([first, 0]);
  await stop(`model:${first}`);
  await waitUntil(async () => (await scoreOne()).model === null, 5000, 'the rules');
  await untilScored({ model: null, degradation: 0 });
  await endControlIn(rig.pool, 'stop', 'model:m@1');
  await waitUntil(async () => (await scoreOne()).model === 'm@1', 5000, 'the model again');
});

test('a model that fails again is rolled back by the engine, where it fails and nowhere else', async () => {
  const [first, second] = [await rollOut.register(2), await rollOut.register(1)];
  await rollOut.put(first, 'active', 'US-EG');
  await rollOut.put(first, 'active', 'US-MX');
  await rollOut.put(second, 'active', 'US-EG');
  const load = spoiledBy(() => {
    throw new Error('out of order');
  });
  const { nowMs, skip } = openClock();
  rig.startWorker({}, { rooms: withModels(load, nowMs) });
  rig.startWorker({}, { rooms: withModels(load, nowMs) });
  // Until it is rolled back it is passed over, at a reduced level; from then on nothing is missing. Both
  // workers read the stream, and each notices by itself: one by one, so many scores come from both of them.
  let inARow = 0;
  await waitUntil(
    async () => {
      inARow = (await scoreOne()).degradation === 0 ? inARow + 1 : 0;
      skip(SUSPENDED_MS / 10);
      return inARow === 20;
    },
    20_000,
    'the model before it to decide by right in both workers',
  );
  await untilScored({ model: first, degradation: 0 });
  await untilScored({ model: first, degradation: 0 }, 'US-MX');
  const rollouts = await rig.database.sql<Record<string, unknown>>(
    `select corridor, model, state, proposed_by, reason
       from rollouts join models using (model_id) where cause = 'rollback' order by rollout_id`,
  );
  const by = { corridor: 'US-EG', proposed_by: 'engine' };
  const reason = expect.stringMatching(/^of \d+ calls within a minute [3-9]\d* failed/);
  expect(rollouts).toEqual([
    { ...by, model: second, state: 'deprecated', reason },
    { ...by, model: first, state: 'active', reason },
  ]);
});
