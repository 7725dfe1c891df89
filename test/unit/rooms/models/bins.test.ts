import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  binColumn,
  findCuts,
  MISSING_BIN,
  VALUE_BINS_MAX,
} from '../../../../src/rooms/models/bins.ts';

const anyColumn = fc
  .array(
    fc.oneof(
      fc.integer({ min: -5, max: 5 }),
      fc.float({ noNaN: true }),
      fc.constant(Number.NaN),
      fc.constantFrom(0.1, Math.fround(0.1), Number.NEGATIVE_INFINITY, 3.4e38),
    ),
    { minLength: 1, maxLength: 200 },
  )
  .map((values) => Float32Array.from(values));

test('a value lies below exactly the cuts whose number is its bin or more', () => {
  fc.assert(
    fc.property(anyColumn, fc.integer({ min: 2, max: VALUE_BINS_MAX }), (column, binsMax) => {
      const cuts = findCuts(column, binsMax);
      const bins = binColumn(column, cuts);
      expect(cuts.length).toBeLessThan(binsMax);
      for (const [row, value] of column.entries()) {
        if (Number.isNaN(value)) expect(bins[row]).toBe(MISSING_BIN);
        else
          for (const [cut, at] of cuts.entries()) expect(value < at).toBe((bins[row] ?? 0) <= cut);
      }
    }),
  );
});
