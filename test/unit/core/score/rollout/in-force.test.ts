/** Goal: the log of rollouts determines the models in force, with a bounded number of shadows. Method: a short log. */
import { expect, test } from 'vitest';
import type { Rollout } from '../../../../../src/core/score/rollout/holding.ts';
import { SHADOWS_MAX, subjectsInForce } from '../../../../../src/core/score/rollout/in-force.ts';

const row = (
  subject: string,
  state: Rollout['state'],
  percent = 0,
  cause: Rollout['cause'] = 'approval',
): Rollout => ({
  corridor: 'US-EG',
  subject,
  state,
  canary_percent: percent,
  cause,
});

test('a canary is told with its share, and the newest shadows only', () => {
  const shadows = Array.from({ length: SHADOWS_MAX + 1 }, (_, n) => row(`s${n}`, 'shadow'));
  const log = [...shadows, row('s0', 'shadow'), row('c', 'canary', 7)];
  expect(subjectsInForce(log).get('US-EG')).toEqual({
    active: [],
    canary: { subject: 'c', percent: 7 },
    shadows: ['s0', 's4', 's3', 's2'],
  });
});

test("the engine's own shadow gives its place up to people, and is people's once they move it", () => {
  const own = row('own', 'shadow', 0, 'engine');
  const shadows = Array.from({ length: SHADOWS_MAX }, (_, n) => row(`s${n}`, 'shadow'));
  const shadowsOf = (log: readonly Rollout[]) => subjectsInForce(log).get('US-EG')?.shadows;
  expect(shadowsOf([...shadows.slice(1), own])).toEqual(['s3', 's2', 's1', 'own']);
  expect(shadowsOf([...shadows, own])).toEqual(['s3', 's2', 's1', 's0']);
  const moved = row('own', 'shadow', 0, 'rollback');
  expect(shadowsOf([...shadows, own, moved])).toEqual(['own', 's3', 's2', 's1']);
});
