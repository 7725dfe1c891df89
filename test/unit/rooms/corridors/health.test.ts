/** Goal: the health of a corridor is the sum of its parts by their weights. Method: facts at the edges of each part. */
import { expect, test } from 'vitest';
import { type HealthFacts, healthOf } from '../../../../src/rooms/corridors/corridor-health.ts';

const WELL: HealthFacts = {
  availability: 1,
  oldestAgeMs: 0,
  failures: 0,
  degradation: 0,
  isOpen: true,
};

test.each([
  ['all is well', {}, 100],
  ['nothing was due', { availability: null }, 100],
  ['half is late', { availability: 0.5 }, 80],
  ['an entry waits for as long as a decision may', { oldestAgeMs: 2000 }, 100],
  ['an entry waits for half a minute', { oldestAgeMs: 31_000 }, 90],
  ['an entry waits for an hour', { oldestAgeMs: 3_600_000 }, 80],
  ['one in twenty failed', { failures: 0.05 }, 90],
  ['one in ten failed', { failures: 0.1 }, 80],
  ['a breaker is open', { degradation: 2 }, 90],
  ['it is closed', { isOpen: false }, 90],
  [
    'nothing works',
    { availability: 0, oldestAgeMs: 60_000, failures: 1, degradation: 3, isOpen: false },
    0,
  ],
] as const)('%s: %s', (_, facts, score) => {
  expect(healthOf({ ...WELL, ...facts }).score).toBe(score);
});
