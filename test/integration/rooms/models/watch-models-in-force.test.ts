/**
 * Goal: what is in force is never older than allowed, and no model scores before its check is on record. Method: rollouts on a
 * real database, a clock that the test moves, and models that pass or fail as the test says.
 */
import { beforeEach, expect, test } from 'vitest';
import type { JudgingModel } from '../../../../src/core/score/judge.ts';
import { followChanges } from '../../../../src/kit/database/follow-changes.ts';
import { createMetrics } from '../../../../src/kit/metrics/metrics.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { watchModelsInForce } from '../../../../src/rooms/models/judge/open-judge.ts';
import { silentLog } from '../../../support/config.ts';
import { modelFile, startModelsRig } from '../../../support/models-command.ts';
import { openForFile } from '../../../support/open-for-file.ts';
import { changeRollouts, settledBy } from '../../../support/rooms/models/settled.ts';

/** A breaker that the test opens, and answers that it holds back. */
let isDown = false;
let answers = Promise.resolve();
const ids = new Map<string, string>();

const rig = await openForFile(startModelsRig());
const database = await openForFile(
  rig.testDatabase.open({
    guard: async (work) => {
      if (isDown) throw new Failure('unavailable', 'DOWN', 'down');
      const answer = await work();
      await answers;
      return answer;
    },
  }),
);
const officer = await rig.makeKey('Ann', ['risk_officer']);
for (const [at, name] of ['a', 'b'].entries()) {
  const path = rig.write(`${name}.json`, JSON.stringify(modelFile(at)));
  ids.set(name, (await rig.json(officer, 'import', path, '--name', `${name}@1`)).model_id);
}

beforeEach(async () => {
  isDown = false;
  await change('truncate rollouts; delete from approvals');
});

const nameOf = (modelId: string | undefined) =>
  [...ids].find(([, id]) => id === modelId)?.[0] ?? null;

const change = (text: string) => changeRollouts(rig.testDatabase, text);
const settle = settledBy(officer);
const rollBack = (model: string) => `
  insert into rollouts (corridor, model_id, state, canary_percent, cause, proposed_by)
  values ('US-EG', '${ids.get(model)}', 'deprecated', 0, 'rollback', 'Ann')`;

function watch() {
  const state = { nowMs: 0, broken: new Set<string>() };
  const name = crypto.randomUUID();
  const changes = followChanges(database, silentLog(), () => state.nowMs);
  // Nothing is asked by itself.
  changes[Symbol.dispose]();
  const source = watchModelsInForce({
    ...{ name, database, changes, log: silentLog(), onChange: () => undefined },
    metrics: createMetrics(),
    async load(_, modelId): Promise<JudgingModel> {
      if (state.broken.has(modelId)) throw new Failure('invalid', 'MODEL_INVALID', 'a bit off');
      const explain = () => {
        throw new Error('nobody asks for an explanation');
      };
      return {
        modelId,
        name: `${nameOf(modelId)}@1`,
        under: null,
        isFree: false,
        judge: () => [],
        explain,
      };
    },
  });
  /** The model that judges accounts outside every canary. */
  const deciding = async () => {
    const { corridors, models } = await source.current();
    const active = corridors.get('US-EG')?.active ?? [];
    return nameOf(active.flatMap((modelId) => models.get(modelId) ?? [])[0]?.modelId);
  };
  const checks = async () => {
    const text = 'select model_id, detail from model_checks where process = $1 order by check_id';
    type Row = { model_id: string; detail: string | null };
    const rows = await rig.testDatabase.sql<Row>(text, [name]);
    return rows.map(({ model_id, detail }) => [nameOf(model_id), detail]);
  };
  const breakModel = (model: string) => state.broken.add(ids.get(model) ?? '');
  return { source, state, checks, deciding, breakModel };
}

test('models in force are asked for again once they are old, not before', async () => {
  await change(settle('a@1', 'active'));
  const { state, deciding } = watch();
  expect(await deciding()).toBe('a');
  await change(rollBack('a'));
  state.nowMs = 1500;
  expect(await deciding()).toBe('a');
  state.nowMs = 1501;
  expect(await deciding()).toBeNull();
});

test('models in force are asked for once more where the look under way was begun before a freeze', async () => {
  await change(settle('a@1', 'active'));
  const { source, state, deciding } = watch();
  await source.refresh();
  const { promise, resolve: thaw } = Promise.withResolvers<void>();
  answers = promise;
  const underWay = source.refresh();
  await change(rollBack('a'));
  answers = Promise.resolve();
  state.nowMs = 5000;
  const asked = deciding();
  thaw();
  expect(await asked).toBeNull();
  await underWay;
});

test('models in force are unknown while Postgres is away for too long', async () => {
  await change(settle('a@1', 'active'));
  const { state, deciding } = watch();
  await deciding();
  isDown = true;
  expect(await deciding()).toBe('a');
  state.nowMs = 1501;
  await expect(deciding()).rejects.toMatchObject({ kind: 'unavailable' });
});

test('models in force are without a model that does not pass: the one before it decides, visibly', async () => {
  await change(settle('a@1', 'active'));
  await change(settle('b@1', 'active'));
  const { source, checks, deciding, breakModel } = watch();
  breakModel('b');
  expect(await deciding()).toBe('a');
  expect(source.refused()).toEqual([{ corridor: 'US-EG', model: ids.get('b') }]);
  expect(await checks()).toEqual([
    ['b', 'a bit off'],
    ['a', null],
  ]);
});

test('models in force are without a model that nobody could put on record', async () => {
  await change(settle('a@1', 'active'));
  const { source, checks, deciding } = watch();
  await rig.testDatabase.sql('alter table model_checks rename to gone_checks');
  await expect(deciding()).rejects.toBeInstanceOf(Failure);
  await rig.testDatabase.sql('alter table gone_checks rename to model_checks');
  await source.refresh();
  expect([await deciding(), await checks()]).toEqual(['a', [['a', null]]]);
});
