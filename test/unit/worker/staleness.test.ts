import { expect, test } from 'vitest';
import { createStaleness } from '../../../src/worker/staleness.ts';

test('staleness is rare until more than a tenth of the copies were outdated for a while', () => {
  const staleness = createStaleness();
  expect(staleness.isRare()).toBe(true);
  staleness.note(1, 100);
  expect(staleness.isRare()).toBe(true);
  for (let batch = 0; batch < 20; batch++) staleness.note(50, 100);
  expect(staleness.isRare()).toBe(false);
});

test('staleness is rare again once copies stand', () => {
  const staleness = createStaleness();
  for (let batch = 0; batch < 20; batch++) staleness.note(100, 100);
  for (let batch = 0; batch < 40; batch++) staleness.note(0, 100);
  expect(staleness.isRare()).toBe(true);
});

test('staleness learns nothing from a batch without copies', () => {
  const staleness = createStaleness();
  for (let batch = 0; batch < 20; batch++) staleness.note(100, 100);
  for (let batch = 0; batch < 40; batch++) staleness.note(0, 0);
  expect(staleness.isRare()).toBe(false);
});
