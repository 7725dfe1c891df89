/** Goal: a measure that people leave out adds no points, and no row has another margin for it. Method: rows of which two measures tell fraud. */

import { expect, test } from 'vitest';
import { BUCKETS, createCuts } from '../../../../../src/core/score/scorecard/cuts.ts';
import { collectSolveRows, learn } from '../../../../../src/core/score/scorecard/learn.ts';
import { marginOf } from '../../../../../src/core/score/scorecard/scorecard.ts';
import { lastOf } from '../../../../../src/kit/process/steps.ts';
import { createRandom } from '../../../../../src/kit/random.ts';

const MEASURES = ['told', 'noise', 'also'];
const ROWS = 2000;
const LOG_ODDS = { logOdds: -4, labelLogOdds: 0 };

function learnt(...leftOut: readonly string[]) {
  const random = createRandom('left out');
  const rows = collectSolveRows(MEASURES, ROWS, leftOut);
  const drawn: Uint8Array[] = [];
  for (let nth = 0; nth < ROWS; nth++) {
    const buckets = Uint8Array.from({ length: 3 }, () => Math.floor(random() * 31));
    const odds = ((buckets[0] ?? 0) + (buckets[2] ?? 0)) / 62;
    drawn.push(buckets);
    rows.add({
      ...{ buckets, measures: MEASURES, ...LOG_ODDS, fired: [], stands: 1 },
      isFraud: random() < odds ** 3,
    });
  }
  const met = new Float64Array(MEASURES.length * BUCKETS).fill(1);
  const known = { knownFrauds: 500, labelled: new Float64Array() };
  const { scorecard } = lastOf(learn(rows.end(), met, createCuts(MEASURES.length), known));
  return { scorecard, margins: drawn.map((buckets) => marginOf(scorecard, buckets, LOG_ODDS)) };
}

test('its points are 0, those of the others are not, and margins are about as high', () => {
  const [all, without] = [learnt(), learnt('told', 'no measure')];
  const pointsOf = ({ scorecard }: typeof all, measure: number) =>
    scorecard.points.slice(measure * BUCKETS, (measure + 1) * BUCKETS);
  expect(pointsOf(all, 0).some((points) => points !== 0)).toBe(true);
  expect(pointsOf(without, 0).every((points) => points === 0)).toBe(true);
  expect(pointsOf(without, 2).some((points) => points > 0.5)).toBe(true);
  const rateOf = ({ margins }: typeof all) =>
    margins.reduce((sum, margin) => sum + 1 / (1 + Math.exp(-margin)), 0) / ROWS;
  expect(rateOf(without) / rateOf(all)).toBeCloseTo(1, 1);
});
