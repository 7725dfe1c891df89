/** Goal: a calibration that would lose the order of margins is no calibration. */
import { expect, test } from 'vitest';
import { calibrate, calibrationSchema } from '../../../../../src/rooms/models/model/calibration.ts';

const platt = { kind: 'platt', slope: 0.8, intercept: -2 } as const;

test.each([
  ['a level line', { ...platt, slope: 0 }],
  ['a falling line', { ...platt, slope: -1 }],
  ['an unknown kind', { ...platt, kind: 'beta' }],
  ['a field too many', { ...platt, share: 0.01 }],
])('calibrationSchema refuses %s', (_name, given) => {
  expect(calibrationSchema.safeParse(given).success).toBe(false);
});

test('a calibration keeps the order of margins', () => {
  const margins = Array.from({ length: 10_001 }, (_, at) => (at - 5000) / 1000);
  const probabilities = margins.map((margin) => calibrate(platt, margin));
  expect(new Set(probabilities).size).toBe(margins.length);
  expect(probabilities).toEqual(probabilities.toSorted((a, b) => a - b));
});
