/** Goal: the page of a corridor adds up its health by the weights of the API. */
import { expect, test } from 'vitest';
import { HEALTH_PARTS } from '../../../console/src/rooms/corridors/health-parts.ts';
import { HEALTH_WEIGHTS } from '../../../src/rooms/corridors/corridor-health.ts';

test('each part may add the points that it weighs', () => {
  const points = Object.entries(HEALTH_PARTS).map(([name, [, most]]) => [name, most]);
  expect(Object.fromEntries(points)).toEqual(HEALTH_WEIGHTS);
});
