/** Goal: what people read adds up to what was stored. Method: random tables and vectors, sums compared by their bits. */
import { expect, test } from 'vitest';
import { FEATURE_COUNT } from '../../../../../src/core/domain/feature-schema.ts';
import { describeVector } from '../../../../../src/core/score/explain.ts';
import { explainMargin } from '../../../../../src/core/score/scorecard/explain-margin.ts';
import { marginBy } from '../../../../../src/core/score/scorecard/judge-by-table.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { randomTable } from '../../../../support/random-tables.ts';

const SLOTS = [
  { field: 'category', kind: 'lift' },
  { field: 'distance', kind: 'tail' },
] as const;

test('base and points add up to the margin in the order in which they are listed', () => {
  for (let seed = 0; seed < 200; seed++) {
    const random = createRandom(`explain ${seed}`);
    const table = randomTable(random, SLOTS);
    const vector = Float64Array.from({ length: FEATURE_COUNT + SLOTS.length }, () =>
      random() < 0.2 ? Number.NaN : 100 * random(),
    );
    const { margin, base, points } = explainMargin(table, vector, 0);
    expect(margin).toBe(marginBy(table, vector));
    const read = JSON.parse(JSON.stringify({ base, points })) as {
      base: number;
      points: typeof points;
    };
    expect(read.points.reduce((sum, { points }) => sum + points, read.base)).toBe(margin);
  }
});

test('each measure has a sentence with its points', () => {
  const table = randomTable(createRandom('sentences'), SLOTS);
  const vector = new Float64Array(FEATURE_COUNT + SLOTS.length).fill(1);
  const { points } = explainMargin(table, vector, Date.UTC(2026, 0, 5, 3, 10));
  for (const { measure, detail } of points) {
    expect(detail, measure).toMatch(/: [+−]\d+\.\d$/);
    expect(detail.startsWith(measure)).toBe(false);
  }
});

test('a vector is listed with the slots that it has, by name; schema 3 had none', () => {
  const listed = (length: number, featureSchema: number) =>
    describeVector({ features: new Float64Array(length), featureSchema, slots: SLOTS })
      .map(({ name }) => name)
      .slice(FEATURE_COUNT);
  const [lift, tail] = ['metadata.category_lift', 'metadata.distance_tail'];
  expect(listed(FEATURE_COUNT + 2, 4)).toEqual([lift, tail]);
  expect(listed(FEATURE_COUNT + 1, 4)).toEqual([lift]);
  expect(listed(FEATURE_COUNT, 4)).toEqual([]);
  expect(listed(FEATURE_COUNT + 2, 3)).toEqual([]);
});
