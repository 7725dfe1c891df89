/** Goal: capacity is that of M10's example, and a forecast is what a simulated queue does. */
import { describe, expect, test } from 'vitest';
import { project, staff, utilise } from '../../../../src/rooms/review/capacity.ts';
import { forecastBreaches } from '../../../../src/rooms/review/forecast.ts';

const policy = {
  reviews_per_hour: 20,
  hours_per_day: 8,
  utilisation_max: 0.85,
  utilisation_hired: 0.8,
};
const load = { transactionsPerDay: 5000, autoClearRatio: 0.7 };

describe('capacity', () => {
  test('5,000 transactions a day, of which 70 % clear themselves, are 1,500 reviews and 10 officers', () => {
    const { reviewsPerDay, ...officers } = staff(load, policy);
    expect(reviewsPerDay).toBeCloseTo(1500, 9);
    expect(officers).toEqual({ officerReviewsPerDay: 160, officersMin: 10, officersToHire: 12 });
  });

  test('ten are used beyond the greatest share, so two are hired; eleven too, and twelve are enough', () => {
    const at = (officers: number) => {
      const { utilisation, hire } = utilise(load, officers, policy);
      return [Math.round(utilisation * 1000) / 1000, hire];
    };
    expect([at(10), at(11), at(12)]).toEqual([
      [0.938, 2],
      [0.852, 1],
      [0.781, 0],
    ]);
    expect(utilise(load, 0, policy)).toEqual({ utilisation: Number.POSITIVE_INFINITY, hire: 12 });
    expect(utilise({ ...load, transactionsPerDay: 0 }, 0, policy)).toEqual({
      utilisation: 0,
      hire: 0,
    });
  });

  test('whole numbers of officers are not rounded up by what doubles add', () => {
    const exact = { transactionsPerDay: 1280, autoClearRatio: 0 };
    expect(staff(exact, policy)).toMatchObject({ officersMin: 8, officersToHire: 10 });
  });

  test('growth is projected month by month', () => {
    const rows = project(load, 0.1, 12, policy);
    expect(rows).toHaveLength(13);
    expect(rows[12]).toMatchObject({ month: 12, transactionsPerDay: 15_692, officersMin: 30 });
  });
});

describe('the forecast', () => {
  const pace = { officers: 2, handlingSeconds: 180, arrivalsPerHour: new Map() };
  const waiting = (priority: number, ...left: number[]) =>
    left.map((leftSeconds) => ({ priority, leftSeconds }));

  test('counts those that are done too late, the most urgent being done first', () => {
    // A review is done each 90 s: at 90 and 180 s those of P1, at 270, 360 and 450 s those of P4.
    const cases = [...waiting(4, 500, 260, 400), ...waiting(1, 100, 170)];
    expect(forecastBreaches(cases, pace)).toEqual([
      { priority: 1, waiting: 2, missed: 0, willMiss: 1, emptySeconds: 180 },
      { priority: 4, waiting: 3, missed: 0, willMiss: 1, emptySeconds: 450 },
    ]);
  });

  test('counts deadlines that have passed apart', () => {
    expect(forecastBreaches(waiting(0, -1, 90, 1), pace)).toEqual([
      { priority: 0, waiting: 3, missed: 1, willMiss: 2, emptySeconds: 270 },
    ]);
  });

  test('what arrives at more urgent priorities delays the others, for ever where it takes all time', () => {
    const busy = (perHour: number) => ({
      ...pace,
      arrivalsPerHour: new Map([
        [1, perHour],
        [4, 99],
      ]),
    });
    const [slower] = forecastBreaches(waiting(4, 170, 400), busy(20));
    expect(slower).toMatchObject({ willMiss: 1, emptySeconds: 360 });
    const [never] = forecastBreaches(waiting(4, 1e9), busy(40));
    expect(never).toMatchObject({ willMiss: 1, emptySeconds: null });
    expect(forecastBreaches(waiting(1, 90), busy(40))[0]).toMatchObject({ willMiss: 0 });
  });

  test('nobody at work decides nothing', () => {
    expect(forecastBreaches(waiting(3, 1e9), { ...pace, officers: 0 })[0]?.emptySeconds).toBeNull();
  });
});
