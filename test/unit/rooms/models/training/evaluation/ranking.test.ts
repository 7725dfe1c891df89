/** Goal: the figures are those of their definitions. Method: pairs and thresholds counted one by one. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  aucOf,
  averagePrecisionOf,
  logLoss,
  recallAtFalseAlarmRate,
  type Scored,
  thresholdsOf,
} from '../../../../../../src/rooms/models/training/evaluation/ranking.ts';

/** Scores of few values, so that ties are common; at least one of each label. */
const anyScored: fc.Arbitrary<Scored> = fc
  .array(fc.record({ score: fc.integer({ min: -3, max: 3 }), label: fc.constantFrom(0, 1) }), {
    minLength: 0,
    maxLength: 30,
  })
  .map((rows) => [...rows, { score: 0, label: 0 }, { score: 1, label: 1 }])
  .map((rows) => ({
    scores: Float64Array.from(rows, ({ score }) => score),
    labels: Uint8Array.from(rows, ({ label }) => label),
  }));

const rowsOf = ({ scores, labels }: Scored) =>
  Array.from(scores, (score, row) => ({ score, fraud: labels[row] === 1 }));

test('AUC is the share of pairs in the right order, ties half', () => {
  fc.assert(
    fc.property(anyScored, (scored) => {
      const rows = rowsOf(scored);
      const pairs = rows
        .filter(({ fraud }) => fraud)
        .flatMap((fraud) =>
          rows
            .filter((row) => !row.fraud)
            .map(({ score }) => (fraud.score > score ? 1 : fraud.score === score ? 0.5 : 0)),
        );
      const share = pairs.reduce((sum: number, pair) => sum + pair, 0) / pairs.length;
      expect(aucOf(thresholdsOf(scored))).toBeCloseTo(share, 12);
    }),
  );
});

test('average precision is the mean precision at the frauds, ties being one threshold', () => {
  fc.assert(
    fc.property(anyScored, (scored) => {
      const rows = rowsOf(scored);
      const frauds = rows.filter(({ fraud }) => fraud);
      const precisions = frauds.map(({ score }) => {
        const flagged = rows.filter((row) => row.score >= score);
        return flagged.filter(({ fraud }) => fraud).length / flagged.length;
      });
      const mean = precisions.reduce((sum, precision) => sum + precision, 0) / frauds.length;
      expect(averagePrecisionOf(thresholdsOf(scored))).toBeCloseTo(mean, 12);
    }),
  );
});

test('recall is counted at the lowest threshold within the rate', () => {
  fc.assert(
    fc.property(anyScored, fc.double({ min: 0, max: 1, noNaN: true }), (scored, rate) => {
      const rows = rowsOf(scored);
      const frauds = rows.filter(({ fraud }) => fraud).length;
      const legitimates = rows.length - frauds;
      const recalls = [4, 3, 2, 1, 0, -1, -2, -3].map((score) => {
        const flagged = rows.filter((row) => row.score >= score);
        const caught = flagged.filter(({ fraud }) => fraud).length;
        return flagged.length - caught <= rate * legitimates ? caught / frauds : 0;
      });
      expect(recallAtFalseAlarmRate(thresholdsOf(scored), rate)).toBe(Math.max(...recalls));
    }),
  );
});

test('logLoss is the mean of -ln of what was given to what happened', () => {
  const expected = -(Math.log(0.9) + Math.log(0.75)) / 2;
  expect(logLoss([0.9, 0.25], [1, 0])).toBeCloseTo(expected, 14);
});
