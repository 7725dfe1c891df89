import fc from 'fast-check';
import { expect, test } from 'vitest';
import { calibrationTable } from '../../../../../src/rooms/models/watch/measure-outcomes.ts';

test('groups hold every row once, from low to high, equal probabilities together', () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: 0, max: 9 }), fc.constantFrom(0, 1)), {
    minLength: 1,
    maxLength: 50,
  });
  fc.assert(
    fc.property(rows, fc.integer({ min: 1, max: 10 }), (drawn, groups) => {
      const probabilities = drawn.map(([tenths]) => tenths / 10);
      const labels = drawn.map(([, label]) => label);
      const table = calibrationTable(probabilities, labels, groups);
      expect(table.length).toBeLessThanOrEqual(groups);
      expect(table.reduce((sum, { rows: count }) => sum + count, 0)).toBe(drawn.length);
      const frauds = table.reduce((sum, { rows: count, seen }) => sum + count * seen, 0);
      expect(frauds).toBeCloseTo(
        labels.reduce<number>((sum, label) => sum + label, 0),
        9,
      );
      for (let at = 1; at < table.length; at++) {
        expect(table[at]?.promised).toBeGreaterThan(table[at - 1]?.promised ?? 0);
      }
    }),
  );
});
