/** Goal: figures suggest something just above their thresholds, and nothing that is in force already. */
import { expect, test } from 'vitest';
import { KIND_NAMES } from '../../../../src/core/domain/control-kinds.ts';
import { type HourFigures, suggestionsOf } from '../../../../src/rooms/corridors/suggestions.ts';
import { aControl, controlsOf } from '../../../support/controls.ts';

const figuresOf = (own: Partial<HourFigures>): HourFigures => ({
  corridor: 'US-EG',
  scored: 0,
  declined: 0,
  deadLetters: 0,
  disputes: 0,
  overdue: 0,
  waiting: 0,
  perSecond: 1,
  accounts: 1,
  allAccounts: 100,
  ...own,
});
/** @param all kinds and scopes of the controls in force, as `freeze:market` */
const inForce = (...all: string[]) =>
  controlsOf(
    ...all.map((name) => {
      const kind = KIND_NAMES.find((known) => name.startsWith(`${known}:`)) ?? 'stop';
      return aControl(kind, name.slice(kind.length + 1));
    }),
  );
const suggestedFor = (own: Partial<HourFigures>, ...all: string[]) =>
  suggestionsOf([figuresOf(own)], inForce(...all));
const idsOf = (own: Partial<HourFigures>, ...scopes: string[]) =>
  suggestedFor(own, ...scopes).map(({ id, action }) => `${id} ${action}`);

test.each<[Partial<HourFigures>, string[]]>([
  [{}, []],
  [{ disputes: 10 }, []],
  [{ disputes: 11 }, ['disputes:US-EG freeze']],
  [{ scored: 200, declined: 50 }, []],
  [{ scored: 200, declined: 51 }, ['declines:US-EG tighten']],
  [{ scored: 199, declined: 199 }, []],
  [{ scored: 180, deadLetters: 20 }, []],
  [{ scored: 179, deadLetters: 20 }, ['errors:US-EG freeze']],
  [{ scored: 0, deadLetters: 19 }, []],
  [{ overdue: 1 }, ['overdue:US-EG throttle']],
  [{ overdue: 1, perSecond: 0.1 }, []],
  [{ waiting: 1, perSecond: 0 }, ['waiting:US-EG tighten']],
])('%j suggest %j', (own, expected) => {
  expect(idsOf(own)).toEqual(expected);
});

test('nothing is suggested that is in force', () => {
  const wave = { disputes: 11, scored: 200, declined: 100 };
  expect(idsOf(wave, 'tighten:corridor:US-EG')).toEqual(['disputes:US-EG freeze']);
  expect(idsOf(wave, 'freeze:corridor:US-EG')).toEqual([]);
  expect(idsOf(wave, 'freeze:market')).toEqual([]);
  expect(idsOf(wave, 'stop:corridor:US-EG')).toEqual([]);
  expect(idsOf(wave, 'freeze:corridor:US-MX')).toHaveLength(2);
});

test.each([
  [100, 50, 500],
  [0.33, 0.2, 2],
  [0.11, 0.1, 1],
])(
  'of %d transactions a second a throttle lets %d through, and %d at once',
  (perSecond, ratePerSecond, burst) => {
    const [suggested] = suggestedFor({ overdue: 1, perSecond });
    expect(suggested).toMatchObject({ rate_per_second: ratePerSecond, burst, hours: 4 });
    expect(suggestedFor({ disputes: 11 })[0]?.rate_per_second).toBeNull();
  },
);

test('a corridor that is throttled, frozen or stopped is not throttled again; one that has a lasting limit is', () => {
  const overdue = { overdue: 1 };
  for (const scope of ['throttle:corridor:US-EG', 'freeze:corridor:US-EG', 'stop:market']) {
    expect(idsOf(overdue, scope)).toEqual([]);
  }
  expect(idsOf(overdue, 'throttle:corridor:US-MX')).toHaveLength(1);
  expect(idsOf(overdue, 'limit-transactions:corridor:US-EG')).toHaveLength(1);
});

test('the blast radius is what meets the same trigger, within 3 corridors and a tenth of accounts', () => {
  const radiusOf = (accounts: readonly number[]) =>
    suggestionsOf(
      accounts.map((count, nth) =>
        figuresOf({ corridor: `US-A${'ABCD'[nth]}`, disputes: 11, accounts: count }),
      ),
      inForce(),
    )[0]?.blast_radius;
  expect(radiusOf([4, 6])).toEqual({
    ...{ corridors: ['US-AA', 'US-AB'], accounts_share: 0.1, is_within: true },
  });
  expect(radiusOf([5, 6])?.is_within).toBe(false);
  expect(radiusOf([1, 1, 1])?.is_within).toBe(true);
  expect(radiusOf([1, 1, 1, 1])?.is_within).toBe(false);
  expect(radiusOf([90, 90])?.accounts_share).toBe(1);
});
