import { expect, test } from 'vitest';
import { bandsChooser, DEFAULT_BANDS } from '../../../../../../src/rooms/models/training/bands.ts';

/** 0, 0.001, … 0.999 */
const probabilities = Float64Array.from({ length: 1000 }, (_, at) => at / 1000);

test('a share grows with the traffic, a budget with the days', () => {
  const share = bandsChooser(DEFAULT_BANDS, 99)(probabilities);
  expect(share).toEqual({ reviewFrom: 0.988, declineFrom: 0.998 });
  const budget = { by: 'budget', reviewsADay: 20, declinesADay: 10 } as const;
  expect(bandsChooser(budget, 2)(probabilities)).toEqual({ reviewFrom: 0.94, declineFrom: 0.98 });
  expect(bandsChooser(budget, 0.5)(probabilities)).toEqual({
    reviewFrom: 0.985,
    declineFrom: 0.995,
  });
});

test('costs need no rows', () => {
  const fraud = { approve: 100, review: 10, decline: 0 };
  const costs = { fraud, legitimate: { approve: 0, review: 5, decline: 50 } };
  const bands = bandsChooser({ by: 'costs', costs }, 1)(new Float64Array(0));
  expect(bands.reviewFrom).toBeCloseTo(5 / 95, 12);
});
