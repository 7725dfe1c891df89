/**
 * Goal: which model judges which row, and what happens to rows whose model fails. Method: models made of
 * functions.
 */
import { describe, expect, test, vi } from 'vitest';
import type { Control } from '../../../../../src/core/domain/control.ts';
import type { Transaction } from '../../../../../src/core/domain/transaction.ts';
import type { JudgedRow, JudgingModel } from '../../../../../src/core/score/judge.ts';
import type { InForce } from '../../../../../src/core/score/rollout/in-force.ts';
import { judgedVector } from '../../../../../src/core/score/scorecard/judge-by-table.ts';
import { createMetrics } from '../../../../../src/kit/metrics/metrics.ts';
import {
  type Asking,
  createModelHealth,
  judgeBatch,
  type ModelsInForce,
  planBatch,
  type Standing,
} from '../../../../../src/rooms/models/judge/judge-batch.ts';
import { aControl, controlsOf } from '../../../../support/controls.ts';

/** A value of which a model says nothing. */
const SILENT = 9;

function modelOf(modelId: string, failsFor: readonly number[] = []) {
  const calls: number[] = [];
  const model: JudgingModel = {
    modelId,
    name: `${modelId}@1`,
    under: null,
    isFree: false,
    explain: () => {
      throw new Error('a batch asks for no explanation');
    },
    judge(rows) {
      calls.push(rows.length);
      return rows.map(({ vector: [value = 0] }) => {
        if (value === SILENT) return null;
        if (failsFor.includes(value)) throw new Error('broken');
        return { probability: value / 10, bands: null, factors: () => [] };
      });
    },
  };
  return { model, calls };
}

type Corridor = {
  /** In order of precedence; null did not pass its checks. */
  readonly active?: JudgingModel | null;
  readonly canary?: { readonly model: JudgingModel | null; readonly percent: number };
  readonly shadows?: readonly JudgingModel[];
};

function inForceOf(corridors: Readonly<Record<string, Corridor>>): ModelsInForce {
  const models = new Map<string, JudgingModel | null>();
  const idOf = (model: JudgingModel | null) => {
    const modelId = model?.modelId ?? 'refused';
    models.set(modelId, model);
    return modelId;
  };
  const wanted = Object.entries(corridors).map(
    ([name, { active, canary, shadows = [] }]): [string, InForce] => [
      name,
      {
        active: active === undefined ? [] : [idOf(active)],
        canary:
          canary === undefined ? null : { subject: idOf(canary.model), percent: canary.percent },
        shadows: shadows.map(idOf),
      },
    ],
  );
  return { corridors: new Map(wanted), models };
}

const row = (value: number, corridor = 'US-EG', accountId = 'acc_1'): JudgedRow => ({
  ...judgedVector(Float64Array.of(value), null, 0),
  transaction: { transactionId: `t${value}`, corridor, accountId } as Transaction,
});

function judge(
  rows: readonly JudgedRow[],
  corridors: Readonly<Record<string, Corridor>>,
  note: Asking['note'] = () => undefined,
) {
  return judgeBatch(
    {
      standingOf: (): Standing => ({ health: createModelHealth(() => 0), hopeless: undefined }),
      onFailure: () => undefined,
      metrics: createMetrics(),
      note,
      nowMs: () => 0,
    },
    rows,
    planBatch(rows, inForceOf(corridors), controlsOf()),
  );
}
const told = ({ judgements }: ReturnType<typeof judge>) =>
  judgements.map(({ opinion, model, degradation }) => [
    opinion?.probability ?? null,
    model,
    degradation,
  ]);

test('deciding models of all corridors stand before every shadow', () => {
  const { model } = modelOf('a');
  const corridor = { active: model, shadows: [modelOf('s').model] };
  const plan = planBatch(
    [row(1), row(2, 'US-MX'), row(3)],
    inForceOf({ 'US-EG': corridor, 'US-MX': corridor }),
    controlsOf(),
  );
  expect(plan.map((one) => `${one.corridor} ${one.role} ${one.indexes.join()}`)).toEqual([
    'US-EG deciding 0,2',
    'US-MX deciding 1',
    'US-EG shadow 0,2',
    'US-MX shadow 1',
  ]);
});

describe('a batch', () => {
  test('is judged in one call a model and corridor, rows of other corridors left alone', () => {
    const { model, calls } = modelOf('a');
    const rows = [row(1), row(2, 'US-MX'), row(3, 'GB-IN'), row(4)];
    expect(told(judge(rows, { 'US-EG': { active: model }, 'GB-IN': { active: model } }))).toEqual([
      [0.1, 'a@1', 0],
      [null, null, 0],
      [0.3, 'a@1', 0],
      [0.4, 'a@1', 0],
    ]);
    expect(calls).toEqual([2, 1]);
  });

  test('whose canary fails is judged by the active model, and says so', () => {
    const active = modelOf('a').model;
    const canary = { model: modelOf('c', [1]).model, percent: 100 };
    expect(told(judge([row(1), row(2)], { 'US-EG': { active, canary } }))).toEqual([
      [0.1, 'a@1', 1],
      [0.2, 'a@1', 1],
    ]);
  });

  test('whose canary judges says nothing of an active model that did not pass', () => {
    const canary = { model: modelOf('c').model, percent: 100 };
    const corridors = { 'US-EG': { active: null, canary } };
    expect(told(judge([row(1)], corridors))).toEqual([[0.1, 'c@1', 0]]);
    const undrawn = { 'US-EG': { active: null, canary: { ...canary, percent: 0 } } };
    expect(told(judge([row(1)], undrawn))).toEqual([[null, null, 1]]);
  });

  test('is left to the rules where the model says nothing, and no other model is asked', () => {
    const [active, canary] = [modelOf('a').model, { model: modelOf('c').model, percent: 100 }];
    const shadows = [modelOf('s').model, modelOf('t').model];
    const silent = judge([row(SILENT)], { 'US-EG': { active, canary, shadows } });
    expect([told(silent), silent.shadows]).toEqual([[[null, null, 0]], []]);
    const { shadows: heard } = judge([row(SILENT), row(1)], { 'US-EG': { shadows } });
    expect(heard.map(({ transactionIds }) => transactionIds)).toEqual([['t1'], ['t1']]);
  });

  test('counts opinions as decisions, and each row of a model that fails', () => {
    const [canary, note] = [{ model: modelOf('c', [2]).model, percent: 100 }, vi.fn()];
    const judged = (rows: readonly JudgedRow[]) => judge(rows, { 'US-EG': { canary } }, note);
    judged([row(1), row(SILENT), row(3)]);
    judged([row(1), row(2)]);
    const counted = note.mock.calls.map(([, , { decided, failed }]) => [decided, failed]);
    expect(counted).toEqual([
      [2, 0],
      [2, 2],
    ]);
  });

  test('hears shadows out, and a shadow that fails says nothing', () => {
    const shadows = [modelOf('s').model, modelOf('t', [2]).model];
    const { judgements, shadows: heard } = judge([row(1), row(2)], { 'US-EG': { shadows } });
    expect(heard).toEqual([
      { modelId: 's', transactionIds: ['t1', 't2'], probabilities: [0.1, 0.2] },
    ]);
    expect(judgements.every(({ opinion, degradation }) => !opinion && degradation === 0)).toBe(
      true,
    );
  });
});

describe('the models that controls leave', () => {
  const [policy, before] = [{ ...modelOf('p').model, under: 'p@1' }, modelOf('a').model];
  const trees = { ...modelOf('t').model, under: 'p@1' };
  const shadows = [modelOf('s').model, trees];
  const put = aControl('scorecard', 'model:p@1');
  const stop = (name: string) => aControl('stop', `model:${name}`);
  /** Models in line for accounts of a canary, and for others, and shadows. */
  const left = (canary: JudgingModel, ...controls: readonly Control[]) => {
    const inForce = inForceOf({ 'US-EG': { canary: { model: canary, percent: 100 }, shadows } });
    const corridor = { ...(inForce.corridors.get('US-EG') as InForce), active: ['p', 'a'] };
    const models = new Map([...inForce.models, ['p', policy], ['a', before]] as const);
    const corridors = new Map([['US-EG', corridor]]);
    const plan = planBatch([row(1)], { corridors, models }, controlsOf(...controls));
    const namesIn = (role: string) =>
      plan.flatMap((asked) => (asked.role === role ? asked.line : [])).map((model) => model?.name);
    return `${namesIn('deciding').join(' ')} | ${namesIn('shadow').join(' ')}`;
  };

  test('are all of them while the policy is in force', () => {
    expect(left(trees, put)).toBe('t@1 p@1 a@1 | s@1 t@1');
  });

  test('decide nothing in place of a policy that is stopped or over, and are still heard', () => {
    for (const controls of [[put, stop('p@1')], [], [aControl('scorecard', 'model:p@2')]]) {
      expect(left(trees, ...controls)).toBe(' | s@1 t@1');
      expect(left(before, ...controls)).toBe('a@1 | s@1 t@1');
    }
  });

  test('are those that are not stopped', () => {
    expect(left(trees, put, stop('t@1'), stop('a@1'))).toBe('p@1 | s@1');
    expect(left(trees, put, aControl('off', 'flag:shadows'))).toBe('t@1 p@1 a@1 | ');
  });
});
