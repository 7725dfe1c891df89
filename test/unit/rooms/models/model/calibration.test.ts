/** Goal: a calibration that would lose the order of margins, or promise certainty, is no calibration. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  CALIBRATION_KNOTS_MAX,
  calibrate,
  calibrationSchema,
} from '../../../../../src/rooms/models/model/calibration.ts';

const line = { slope: 0.8, intercept: -2 };
const steps = { margins: [-3, 0, 2], probabilities: [0.01, 0.02, 0.6] };
const platt = { kind: 'platt', ...line } as const;
const isotonic = { kind: 'isotonic', line, ...steps } as const;

describe('calibrationSchema', () => {
  const many = Array.from({ length: CALIBRATION_KNOTS_MAX + 1 }, (_, at) => (at + 1) / 1000);
  test.each([
    ['a level line', { kind: 'platt', slope: 0, intercept: 1 }],
    ['an unknown kind', { kind: 'beta', ...line }],
    ['no knots', { ...isotonic, margins: [], probabilities: [] }],
    ['too many knots', { ...isotonic, margins: many, probabilities: many }],
    ['fewer probabilities', { ...isotonic, probabilities: [0.01, 0.02] }],
    ['falling margins', { ...isotonic, margins: [-3, 2, 0] }],
    ['falling probabilities', { ...isotonic, probabilities: [0.02, 0.01, 0.6] }],
    ['certainty', { ...isotonic, probabilities: [0.01, 0.02, 1] }],
    ['a field too many', { ...isotonic, share: 0.01 }],
  ])('refuses %s', (_name, given) => {
    expect(calibrationSchema.safeParse(given).success).toBe(false);
  });
});

test('a calibration keeps the order of margins', () => {
  const margin = fc.integer({ min: -5000, max: 5000 }).map((thousandths) => thousandths / 1000);
  fc.assert(
    fc.property(fc.constantFrom(platt, isotonic), margin, margin, (calibration, low, high) => {
      fc.pre(low < high);
      expect(calibrate(calibration, high)).toBeGreaterThan(calibrate(calibration, low));
    }),
  );
});
