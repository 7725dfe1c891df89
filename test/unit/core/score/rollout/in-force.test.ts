/** Goal: the log of rollouts determines the models in force. Method: short logs and their expected results. */
import { expect, test } from 'vitest';
import type { Rollout } from '../../../../../src/core/score/rollout/holding.ts';
import { SHADOWS_MAX, subjectsInForce } from '../../../../../src/core/score/rollout/in-force.ts';
import { planRemoval } from '../../../../../src/core/score/rollout/plan-rollout.ts';

const row = (subject: string, state: Rollout['state'], more: Partial<Rollout> = {}): Rollout => ({
  ...{ corridor: 'US-EG', subject, state, canaryPercent: 0, cause: 'approval' },
  ...more,
});
const TWO = [
  row('a', 'active'),
  row('b', 'canary', { canaryPercent: 5 }),
  row('a', 'deprecated', { cause: 'displacement' }),
  row('b', 'active'),
];
const ROLLED_BACK = [
  ...TWO,
  row('b', 'deprecated', { cause: 'rollback' }),
  row('a', 'active', { cause: 'rollback' }),
];
const inUsEg = (log: readonly Rollout[]) => subjectsInForce(log).get('US-EG');

test('a canary is told with its share, and the newest shadows only', () => {
  const shadows = Array.from({ length: SHADOWS_MAX + 1 }, (_, n) => row(`s${n}`, 'shadow'));
  const log = [...shadows, row('s0', 'shadow'), row('c', 'canary', { canaryPercent: 7 })];
  expect(inUsEg(log)).toEqual({
    ...{ active: [], canary: { subject: 'c', percent: 7 } },
    shadows: ['s0', 's4', 's3', 's2'],
  });
});

test('the engine takes back a model that decides, and no other', () => {
  const canary = [...TWO, row('c', 'canary', { canaryPercent: 5 })];
  const removed = (log: readonly Rollout[], subject: string) =>
    planRemoval(log, 'US-EG', subject).map(({ subject: id, state, cause }) => [id, state, cause]);
  expect(removed(canary, 'c')).toEqual([['c', 'deprecated', 'rollback']]);
  expect(removed(canary, 'b')).toEqual([
    ['b', 'deprecated', 'rollback'],
    ['a', 'active', 'rollback'],
  ]);
  expect(removed(canary, 'a')).toEqual([]);
  expect(removed(ROLLED_BACK, 'b')).toEqual([]);
});
