/** Goal: the split found is the best one. Method: all cuts and both sides for NaN, tried one by one. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type BinnedColumn,
  binColumn,
  findCuts,
  MISSING_BIN,
} from '../../../../../src/rooms/models/bins.ts';
import { findSplit, type Sums } from '../../../../../src/rooms/models/training/grow-tree.ts';
import {
  FEATURE_STRIDE,
  fillHistogram,
} from '../../../../../src/rooms/models/training/histogram.ts';
import { TREE_DEFAULTS } from '../../../../../src/rooms/models/training/options.ts';

const anyRow = fc.record({
  values: fc.tuple(
    fc.constantFrom(0, 1, 2, 3, 4, Number.NaN),
    fc.constantFrom(0, 0.5, 1, Number.NaN),
  ),
  gradient: fc.integer({ min: -8, max: 8 }).map((eighths) => eighths / 8),
  hessian: fc.integer({ min: 1, max: 8 }).map((eighths) => eighths / 8),
});
const FREE = { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
const L2 = 1;
const CHILD_WEIGHT_MIN = 0.5;

const squareOver = ({ gradient, hessian }: Sums) => (gradient * gradient) / (hessian + L2);

function sumsOf(rows: readonly Sums[]): Sums {
  return {
    gradient: rows.reduce((sum, row) => sum + row.gradient, 0),
    hessian: rows.reduce((sum, row) => sum + row.hessian, 0),
  };
}

/** The gain of every split of one column that leaves both sides heavy enough. */
function gainsOf(rows: readonly Sums[], { cuts, bins }: BinnedColumn): number[] {
  const splits = [...cuts.keys()].flatMap((cut) => [
    (bin: number) => bin <= cut || bin === MISSING_BIN,
    (bin: number) => bin <= cut,
  ]);
  return splits.flatMap((goesLeft) => {
    const left = sumsOf(rows.filter((_, row) => goesLeft(bins[row] ?? 0)));
    const right = sumsOf(rows.filter((_, row) => !goesLeft(bins[row] ?? 0)));
    if (Math.min(left.hessian, right.hessian) < CHILD_WEIGHT_MIN) return [];
    return [squareOver(left) + squareOver(right) - squareOver(sumsOf(rows))];
  });
}

test('findSplit gains as much as the best of all splits', () => {
  fc.assert(
    fc.property(fc.array(anyRow, { minLength: 2, maxLength: 30 }), (rows) => {
      const columns = [0, 1].map((feature) => {
        const column = Float32Array.from(rows, ({ values }) => values[feature] ?? Number.NaN);
        const cuts = findCuts(column, 255);
        return { cuts, bins: binColumn(column, cuts) };
      });
      const histogram = new Float64Array(columns.length * FEATURE_STRIDE);
      const gradients = {
        gradient: Float32Array.from(rows, (row) => row.gradient),
        hessian: Float32Array.from(rows, (row) => row.hessian),
      };
      const scratch = {
        gradient: new Float32Array(rows.length),
        hessian: new Float32Array(rows.length),
      };
      const all = Int32Array.from(rows, (_, index) => index);
      fillHistogram(histogram, columns, [0, 1], all, gradients, scratch);
      const options = { ...TREE_DEFAULTS, l2: L2, childWeightMin: CHILD_WEIGHT_MIN };
      const search = { columns, used: [0, 1], monotone: new Int8Array(2), options };
      const node = sumsOf(rows);
      const found = findSplit(search, histogram, node, FREE);

      const best = Math.max(0, ...columns.flatMap((column) => gainsOf(rows, column)));
      expect(found?.gain ?? 0).toBeCloseTo(best, 6);
      if (found === undefined) return;
      const { bins } = columns[found.feature] ?? { bins: [] };
      const left = rows.filter((_, row) =>
        bins[row] === MISSING_BIN ? found.missingLeft : (bins[row] ?? 0) <= found.bin,
      );
      expect(found.left.gradient).toBeCloseTo(sumsOf(left).gradient, 9);
      expect(found.left.hessian).toBeCloseTo(sumsOf(left).hessian, 9);
    }),
  );
});
