/** Goal: columns hold the values of the rows, and no memory is allocated for rows that cannot come. */
import { describe, expect, test } from 'vitest';
import {
  createCollector,
  type FeatureChoice,
  pickRows,
  type TrainingRow,
} from '../../../../../src/rooms/models/training/rows.ts';

const CHOICE: FeatureChoice = {
  names: ['b', 'c'],
  columns: Int32Array.of(1, 2),
};

const page = (first: number, rows: number, country: string | null = null): TrainingRow[] =>
  Array.from({ length: rows }, (_, row) => {
    const at = first + row;
    return {
      vector: Float64Array.of(at, at + 0.1, at % 2 ? Number.NaN : at * 1e300),
      accountId: `a${at % 3}`,
      day: 100 + at,
      label: at % 2 ? 'fraud' : null,
      corridor: 'US-EG',
      country,
    };
  });

describe('createCollector', () => {
  test('keeps the chosen features as float32, and numbers the accounts as they come', () => {
    const collector = createCollector(CHOICE, 10, true);
    collector.add(page(0, 2));
    collector.add(page(2, 2, 'EG'));
    const rows = collector.finish();
    expect(rows.featureNames).toEqual(['b', 'c']);
    expect(rows.columns).toEqual([
      Float32Array.of(0.1, 1.1, 2.1, 3.1),
      Float32Array.of(0, Number.NaN, Number.POSITIVE_INFINITY, Number.NaN),
    ]);
    expect(rows.accounts).toEqual(Int32Array.of(0, 1, 2, 0));
    expect(rows.days).toEqual(Int32Array.of(100, 101, 102, 103));
    expect(rows.labels).toEqual(Uint8Array.of(0, 1, 0, 1));
    expect(rows.segments).toEqual({
      corridor: Array(4).fill('US-EG'),
      country: ['none given', 'none given', 'EG', 'EG'],
    });
  });

  test('leaves countries out where there are none, and segments where nobody asks', () => {
    const segmentsOf = (segmented: boolean) => {
      const collector = createCollector(CHOICE, 2, segmented);
      collector.add(page(0, 2));
      return collector.finish().segments;
    };
    expect(segmentsOf(true)).toEqual({ corridor: ['US-EG', 'US-EG'] });
    expect(segmentsOf(false)).toEqual({});
  });
});

test('pickRows takes rows of every column, in their order', () => {
  const collector = createCollector(CHOICE, 4, false);
  collector.add(page(0, 4));
  const picked = pickRows(collector.finish(), Int32Array.of(1, 2));
  expect(picked.columns[0]).toEqual(Float32Array.of(1.1, 2.1));
  expect(picked.labels).toEqual(Uint8Array.of(1, 0));
});
