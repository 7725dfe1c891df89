/** Goal: the log of rollouts determines the models in force, with a bounded number of shadows. Method: a short log. */
import { expect, test } from 'vitest';
import type { Rollout } from '../../../../../src/core/score/rollout/holding.ts';
import { SHADOWS_MAX, subjectsInForce } from '../../../../../src/core/score/rollout/in-force.ts';

const row = (subject: string, state: Rollout['state'], percent = 0): Rollout => ({
  corridor: 'US-EG',
  subject,
  state,
  canary_percent: percent,
  cause: 'approval',
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
