/**
 * Goal: weights are the minimum of the loss, points add up to the margin, and nothing is learnt of few frauds. Method: made rows of
 * which some measures tell fraud; Newton's method on the formula as the documents have it, and differences of the loss.
 */
import { expect, test } from 'vitest';
import { BUCKETS, ORDERED_BUCKETS } from '../../../../../src/core/score/scorecard/cuts.ts';
import type { SolveRows } from '../../../../../src/core/score/scorecard/loss.ts';
import { logOddsOf } from '../../../../../src/core/score/scorecard/measures.ts';
import { minimise } from '../../../../../src/core/score/scorecard/minimise.ts';
import {
  centre,
  marginOf,
  solve,
  unlearnt,
  type Weights,
} from '../../../../../src/core/score/scorecard/scorecard.ts';
import { lastOf } from '../../../../../src/kit/process/steps.ts';
import { createRandom } from '../../../../../src/kit/random.ts';
import { solveCholesky } from '../../../../../src/rooms/models/training/newton.ts';

const MEASURES = 3;

/** The second measure tells fraud, the third is missing at times, and the first is noise. */
function makeRows(count: number, seed = 'rows'): SolveRows {
  const random = createRandom(seed);
  const rows = {
    count,
    measures: MEASURES,
    buckets: new Uint8Array(count * MEASURES),
    logOdds: new Float64Array(count),
    labelLogOdds: new Float64Array(count),
    isFraud: new Uint8Array(count),
    counts: new Float64Array(count),
  };
  for (let row = 0; row < count; row++) {
    const told = Math.floor(random() * ORDERED_BUCKETS);
    const risk = random() < 0.9 ? 0 : random();
    const added = random() < 0.4 ? logOddsOf(risk) - logOddsOf(0) : 0;
    const odds = Math.exp(-5 + 0.2 * told + 2 * risk + 0.5 * added);
    rows.buckets.set(
      [Math.floor(random() * ORDERED_BUCKETS), told, random() < 0.7 ? 32 : 4],
      row * MEASURES,
    );
    rows.logOdds[row] = logOddsOf(risk);
    rows.labelLogOdds[row] = added;
    rows.isFraud[row] = random() < odds / (1 + odds) ? 1 : 0;
    rows.counts[row] = rows.isFraud[row] === 1 ? 1 : 1 + Math.floor(random() * 14);
  }
  return rows;
}

const ofRow = (rows: SolveRows, row: number) => ({
  logOdds: rows.logOdds[row] ?? 0,
  labelLogOdds: rows.labelLogOdds[row] ?? 0,
});

/** The sum that is minimised, its gradient and second derivatives, of the constant, both slopes and all weights. */
function formula(rows: SolveRows, { constant, slope, labelSlope, points }: Weights) {
  const size = 3 + points.length;
  const gradient = new Float64Array(size);
  const second = new Float64Array(size * size);
  const addTo = (into: Float64Array, index: number, value: number) => {
    into[index] = (into[index] ?? 0) + value;
  };
  let value = 150 * (slope - 1) ** 2 + 5 * (labelSlope - 1) ** 2;
  addTo(gradient, 1, 300 * (slope - 1));
  addTo(gradient, 2, 10 * (labelSlope - 1));
  addTo(second, size + 1, 300);
  addTo(second, 2 * size + 2, 10);
  for (let row = 0; row < rows.count; row++) {
    const { logOdds, labelLogOdds } = ofRow(rows, row);
    const terms: [number, number][] = [
      [0, 1],
      [1, logOdds - labelLogOdds],
      [2, labelLogOdds],
    ];
    for (let measure = 0; measure < MEASURES; measure++) {
      terms.push([3 + measure * BUCKETS + (rows.buckets[row * MEASURES + measure] ?? 0), 1]);
    }
    const of = [constant, slope, labelSlope, ...points];
    const margin = terms.reduce((sum, [index, x]) => sum + x * (of[index] ?? 0), 0);
    const probability = 1 / (1 + Math.exp(-margin));
    const [fraud, count] = [rows.isFraud[row] ?? 0, rows.counts[row] ?? 0];
    value -= count * Math.log(fraud === 1 ? probability : 1 - probability);
    for (const [index, x] of terms) {
      addTo(gradient, index, count * (probability - fraud) * x);
      for (const [other, y] of terms) {
        addTo(second, index * size + other, count * probability * (1 - probability) * x * y);
      }
    }
  }
  points.forEach((weight, index) => {
    value += 0.5 * weight ** 2;
    addTo(gradient, 3 + index, weight);
    addTo(second, (3 + index) * (size + 1), 1);
    if (index % BUCKETS >= ORDERED_BUCKETS - 1) return;
    const step = (points[index + 1] ?? 0) - weight;
    value += 30 * step ** 2;
    for (const [at, sign] of [
      [3 + index, -1],
      [4 + index, 1],
    ] as const) {
      addTo(gradient, at, 60 * sign * step);
      addTo(second, at * (size + 1), 60);
    }
    addTo(second, (3 + index) * size + 4 + index, -60);
    addTo(second, (4 + index) * size + 3 + index, -60);
  });
  return { value, gradient, second };
}

/** Newton's method, with shorter steps where one overshoots. */
function optimum(rows: SolveRows): Weights {
  let weights: Weights = { ...unlearnt(MEASURES), constant: Math.log(0.005) + 6 };
  for (let improved = true; improved; ) {
    improved = false;
    const { value, gradient, second } = formula(rows, weights);
    const step = gradient.slice();
    expect(solveCholesky(second, step)).toBe(true);
    for (let share = 1; share > 1e-6; share /= 2) {
      const next = {
        constant: weights.constant - share * (step[0] ?? 0),
        slope: weights.slope - share * (step[1] ?? 0),
        labelSlope: weights.labelSlope - share * (step[2] ?? 0),
        points: weights.points.map((weight, index) => weight - share * (step[3 + index] ?? 0)),
      };
      if (formula(rows, next).value >= value) continue;
      weights = next;
      improved = true;
      break;
    }
  }
  return weights;
}

const buckets = (rows: SolveRows, row: number) =>
  rows.buckets.subarray(row * MEASURES, (row + 1) * MEASURES);

test('the solver comes to the minimum', () => {
  const rows = makeRows(1500);
  const solved = lastOf(solve(rows, 400));
  const best = optimum(rows);
  const least = formula(rows, best).value;
  expect(formula(rows, best).gradient.every((slope) => Math.abs(slope) < 1e-6)).toBe(true);
  expect(formula(rows, solved).value).toBeGreaterThanOrEqual(least - 1e-6);
  expect(formula(rows, solved).value / least).toBeLessThan(1 + 2e-4);
  for (let row = 0; row < rows.count; row++) {
    const [here, there] = [solved, best].map((weights) =>
      marginOf(weights, buckets(rows, row), ofRow(rows, row)),
    );
    expect(Math.abs((here ?? 0) - (there ?? 0))).toBeLessThan(0.05);
  }
  expect(solved.points[BUCKETS + 31]).toBeGreaterThan((solved.points[BUCKETS] ?? 0) + 2);
});

test('rules that read labels keep their word where the other rules lose theirs', () => {
  const rows = makeRows(3000, 'slopes');
  const random = createRandom('honest');
  rows.labelLogOdds.forEach((added, row) => {
    const isFraud = added > 0 ? random() < 0.95 : random() < 0.02;
    rows.isFraud[row] = isFraud ? 1 : 0;
    rows.counts[row] = isFraud ? 1 : 5;
  });
  const { slope, labelSlope } = lastOf(solve(rows, 100));
  expect(slope).toBeLessThan(0.5);
  expect(labelSlope).toBeGreaterThan(0.8);
});

test('the same rows give the same bits, and each row counts as often as it says', () => {
  const rows = makeRows(500, 'twice');
  expect(lastOf(solve(rows, 60))).toEqual(lastOf(solve(makeRows(500, 'twice'), 60)));
  const doubled = { ...rows, counts: rows.counts.map((count) => 2 * count) };
  const pair = {
    ...rows,
    count: 1000,
    buckets: Uint8Array.of(...rows.buckets, ...rows.buckets),
    logOdds: Float64Array.of(...rows.logOdds, ...rows.logOdds),
    labelLogOdds: Float64Array.of(...rows.labelLogOdds, ...rows.labelLogOdds),
    isFraud: Uint8Array.of(...rows.isFraud, ...rows.isFraud),
    counts: Float64Array.of(...rows.counts, ...rows.counts),
  };
  const difference = (one: Weights, other: Weights) =>
    Math.max(...one.points.map((points, index) => Math.abs(points - (other.points[index] ?? 0))));
  expect(difference(lastOf(solve(doubled, 60)), lastOf(solve(pair, 60)))).toBeLessThan(1e-9);
});

test('without a row the weights stay where they begin', () => {
  const { constant, slope, labelSlope, points } = lastOf(solve(makeRows(0), 50));
  expect(constant).toBeCloseTo(Math.log(0.005) + 6, 12);
  expect([slope, labelSlope]).toEqual([1, 1]);
  expect(points.every((weight) => weight === 0)).toBe(true);
});

test('the search ends where a function has no lower value', () => {
  const flat = { start: new Float64Array(2), curvature: Float64Array.of(1, 1), at: () => 1 };
  expect(lastOf(minimise(flat))).toEqual(new Float64Array(2));
});

test('centred points have the mean 0 over the sample, and margins stay', () => {
  const random = createRandom('centre');
  const points = unlearnt(4).points.map(() => 4 * random() - 2);
  const weights = { constant: -1, slope: 0.5, labelSlope: 0.7, points };
  const met = Float64Array.from(weights.points, () => Math.floor(random() * 50));
  met.fill(0, 3 * BUCKETS);
  const centred = centre(weights, met);
  for (let from = 0; from < 3 * BUCKETS; from += BUCKETS) {
    let mean = 0;
    for (let at = from; at < from + BUCKETS; at++)
      mean += (met[at] ?? 0) * (centred.points[at] ?? 0);
    expect(mean).toBeCloseTo(0, 8);
  }
  expect(centred.points.subarray(3 * BUCKETS)).toEqual(weights.points.subarray(3 * BUCKETS));
  for (const bucket of [0, 17, 32]) {
    const row = Uint8Array.of(bucket, bucket, 33, bucket);
    const logOdds = { logOdds: -2, labelLogOdds: 1 };
    expect(marginOf(centred, row, logOdds)).toBeCloseTo(marginOf(weights, row, logOdds), 9);
  }
});
