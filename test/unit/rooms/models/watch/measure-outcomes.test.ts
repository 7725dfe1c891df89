import { describe, expect, test } from 'vitest';
import {
  type JudgedScore,
  measureOutcomes,
} from '../../../../../src/rooms/models/watch/measure-outcomes.ts';

const HOUR_MS = 3_600_000;
const score = (
  verdict: JudgedScore['verdict'],
  isFraud: boolean | null,
  probability: number | null = null,
): JudgedScore => ({
  verdict,
  isFraud,
  probability,
  labelDelayMs: isFraud === null ? null : HOUR_MS,
});

describe('measureOutcomes', () => {
  test('counts precision and recall at both bounds, of what is labelled', () => {
    const outcomes = measureOutcomes([
      score('decline', true),
      score('decline', true),
      score('decline', false),
      score('review', true),
      score('review', false),
      score('approve', true),
      score('approve', false),
      score('decline', null),
      score('approve', null),
    ]);
    expect(outcomes).toMatchObject({ rows: 9, labelled: 7, frauds: 4, promised: null });
    expect(outcomes.review.precision).toMatchObject({ rows: 5, value: 3 / 5 });
    expect(outcomes.review.recall).toMatchObject({ rows: 4, value: 3 / 4 });
    expect(outcomes.decline.precision).toMatchObject({ rows: 3, value: 2 / 3 });
    expect(outcomes.decline.recall).toMatchObject({ rows: 4, value: 2 / 4 });
    expect(outcomes.seen).toMatchObject({ rows: 7, value: 4 / 7 });
    expect(outcomes.calibration).toEqual([]);
  });

  test('ranks label delays', () => {
    const scores = Array.from({ length: 100 }, (_, hour) => ({
      ...score('approve', false),
      labelDelayMs: (100 - hour) * HOUR_MS,
    }));
    expect(measureOutcomes(scores).label_delay_seconds).toEqual({
      ...{ p50: 50 * 3600, p90: 90 * 3600, p99: 99 * 3600 },
    });
  });
});
