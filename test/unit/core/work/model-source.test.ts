/**
 * Goal: what is in force is never older than allowed, and no model scores before its check is on record.
 * Method: a log of rollouts and a clock that the test moves; loaded models pass or fail as the test says.
 */
import { describe, expect, test } from 'vitest';
import type { Rollout } from '../../../../src/core/domain/model-rollout.ts';
import type { JudgingModel } from '../../../../src/core/work/judge-batch.ts';
import { createModelSource } from '../../../../src/core/work/model-source.ts';
import { Failure } from '../../../../src/kit/words/failure.ts';
import { silentLog } from '../../../support/config.ts';

type Row = Pick<Rollout, 'modelId' | 'state'> & Partial<Rollout>;

function start(rows: Row[]) {
  const log: Rollout[] = [];
  const append = (more: readonly Row[]) =>
    log.push(
      ...more.map((row) => ({
        ...{ corridor: 'US-EG', canaryPercent: 0, cause: 'approval' as const },
        ...row,
      })),
    );
  append(rows);
  const state = { nowMs: 0, looks: 0, broken: new Set<string>(), isDown: false, canRecord: true };
  const loads: string[] = [];
  const checks: [string, string | null][] = [];
  const source = createModelSource({
    async readNewestRollout() {
      state.looks += 1;
      if (state.isDown) throw new Failure('unavailable', 'DOWN', 'down');
      return log.length === 0 ? null : String(log.length);
    },
    readRollouts: async () => log,
    async load(modelId): Promise<JudgingModel> {
      loads.push(modelId);
      if (state.broken.has(modelId)) throw new Failure('invalid', 'MODEL_INVALID', 'a bit off');
      return { modelId, name: `${modelId}@1`, judge: () => [] };
    },
    recordCheck: async (modelId, detail) => {
      if (!state.canRecord) throw new Failure('unavailable', 'DOWN', 'down');
      checks.push([modelId, detail]);
    },
    onChange: () => undefined,
    log: silentLog(),
    nowMs: () => state.nowMs,
  });
  /** The models that judge accounts outside every canary. */
  const deciding = async () => {
    const { corridors, models } = await source.current();
    const active = corridors.get('US-EG')?.active ?? [];
    return active.flatMap((modelId) => models.get(modelId) ?? [])[0]?.modelId ?? null;
  };
  return { source, append, state, loads, checks, deciding };
}

const ACTIVE_A: Row = { modelId: 'a', state: 'active' };
const A_GIVES_WAY_TO_B: Row[] = [
  { modelId: 'a', state: 'deprecated', cause: 'displacement' },
  { modelId: 'b', state: 'active' },
];

describe('models in force', () => {
  test('are asked for again once they are old, not before', async () => {
    const { append, state, deciding } = start([ACTIVE_A]);
    expect(await deciding()).toBe('a');
    append([{ modelId: 'a', state: 'deprecated', cause: 'rollback' }]);
    state.nowMs = 1500;
    expect(await deciding()).toBe('a');
    state.nowMs = 1501;
    expect(await deciding()).toBeNull();
    expect(state.looks).toBe(2);
  });

  test('are asked for once more where the look under way was begun before a freeze', async () => {
    const { source, append, state, deciding } = start([ACTIVE_A]);
    await source.refresh();
    const underWay = source.refresh();
    append([{ modelId: 'a', state: 'deprecated', cause: 'rollback' }]);
    state.nowMs = 5000;
    expect(await deciding()).toBeNull();
    await underWay;
  });

  test('are nobody knows what while Postgres is away for too long', async () => {
    const { state, deciding } = start([ACTIVE_A]);
    await deciding();
    state.isDown = true;
    expect(await deciding()).toBe('a');
    state.nowMs = 1501;
    await expect(deciding()).rejects.toMatchObject({ kind: 'unavailable' });
  });

  test('are read and loaded only when a rollout was added', async () => {
    const { source, append, loads } = start([ACTIVE_A]);
    await source.refresh();
    await source.refresh();
    append(A_GIVES_WAY_TO_B);
    await source.refresh();
    expect(loads).toEqual(['a', 'b']);
  });

  test('are without a model that does not pass: the one before it decides, visibly', async () => {
    const { source, append, state, checks, deciding } = start([ACTIVE_A]);
    state.broken.add('b');
    append(A_GIVES_WAY_TO_B);
    expect(await deciding()).toBe('a');
    expect(source.refused()).toEqual([{ corridor: 'US-EG', model: 'b' }]);
    expect(checks).toEqual([
      ['b', 'a bit off'],
      ['a', null],
    ]);
  });

  test('are without a model that nobody could put on record', async () => {
    const { source, state, checks, deciding } = start([ACTIVE_A]);
    state.canRecord = false;
    await expect(deciding()).rejects.toMatchObject({ kind: 'unavailable' });
    state.canRecord = true;
    await source.refresh();
    expect([await deciding(), checks]).toEqual(['a', [['a', null]]]);
  });

  test('a canary that does not pass leaves the corridor as it is', async () => {
    const { source, append, state, deciding } = start([ACTIVE_A]);
    state.broken.add('c');
    append([{ modelId: 'c', state: 'canary', canaryPercent: 5 }]);
    expect(await deciding()).toBe('a');
    expect(source.refused()).toEqual([{ corridor: 'US-EG', model: 'c' }]);
  });
});
