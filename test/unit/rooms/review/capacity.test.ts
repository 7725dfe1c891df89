/** Goal: capacity is that of M10's example, and a forecast is what a simulated queue does. */
import { describe, expect, test } from 'vitest';
import { planCapacity } from '../../../../src/rooms/review/capacity.ts';
import { forecastBreaches } from '../../../../src/rooms/review/forecast.ts';

const policy = {
  reviews_per_hour: 20,
  hours_per_day: 8,
  utilisation_max: 0.85,
  utilisation_hired: 0.8,
};
const load = { transactionsPerDay: 5000, autoClearRatio: 0.7, officers: 10, growth: 0.1 };
const plan = (given: Partial<typeof load>) => planCapacity({ ...load, ...given }, policy);

describe('capacity', () => {
  test('5,000 transactions a day, of which 70 % clear themselves, are 1,500 reviews and 10 officers', () => {
    expect(plan({})).toMatchObject({
      ...{ reviews_per_day: 1500, officer_reviews_per_day: 160 },
      ...{ officers_min: 10, officers_to_hire: 12 },
    });
  });

  test('ten are used beyond the greatest share, so two are hired; eleven too, and twelve are enough', () => {
    const at = (officers: number) => {
      const { utilisation, hire } = plan({ officers });
      return [utilisation, hire];
    };
    expect([at(10), at(11), at(12)]).toEqual([
      [0.9375, 2],
      [0.8523, 1],
      [0.7813, 0],
    ]);
    expect(at(0)).toEqual([null, 12]);
    expect(plan({ transactionsPerDay: 0, officers: 0 })).toMatchObject({ utilisation: 0, hire: 0 });
  });

  test('growth is projected month by month', () => {
    const { projection } = plan({});
    expect(projection).toHaveLength(13);
    expect(projection[12]).toMatchObject({ month: 12, transactions_per_day: 15_692 });
    expect(projection[12]).toMatchObject({ officers_min: 30 });
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
      { priority: 1, waiting: 2, missed: 0, will_miss: 1, empty_seconds: 180 },
      { priority: 4, waiting: 3, missed: 0, will_miss: 1, empty_seconds: 450 },
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
    expect(slower).toMatchObject({ will_miss: 1, empty_seconds: 360 });
    const [never] = forecastBreaches(waiting(4, 1e9), busy(40));
    expect(never).toMatchObject({ will_miss: 1, empty_seconds: null });
    expect(forecastBreaches(waiting(1, 90), busy(40))[0]).toMatchObject({ will_miss: 0 });
  });
});
