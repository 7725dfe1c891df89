/** Goal: figures propose something just above their thresholds, and nothing that is in force already. */
import { expect, test } from 'vitest';
import type { Stop, Switches } from '../../../../src/core/domain/switch.ts';
import { type HourFigures, proposalsOf } from '../../../../src/rooms/corridors/proposals.ts';

const figuresOf = (own: Partial<HourFigures>): HourFigures => ({
  corridor: 'US-EG',
  scored: 0,
  declined: 0,
  deadLetters: 0,
  disputes: 0,
  accounts: 1,
  allAccounts: 100,
  ...own,
});
const stop: Stop = { reason: 'x', message: null, stoppedBy: 'Ann', stoppedAt: '', endsAt: null };
const switchesOf = (...scopes: string[]): Switches => ({
  version: 1,
  stopped: new Map(scopes.map((scope) => [scope, stop])),
  settings: new Map(),
  elsewhere: new Map(),
  clockMs: 0,
});
const idsOf = (own: Partial<HourFigures>, ...scopes: string[]) =>
  proposalsOf([figuresOf(own)], switchesOf(...scopes)).map(({ id, action }) => `${id} ${action}`);

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
])('%j propose %j', (own, expected) => {
  expect(idsOf(own)).toEqual(expected);
});

test('nothing is proposed that is in force', () => {
  const wave = { disputes: 11, scored: 200, declined: 100 };
  expect(idsOf(wave, 'tighten:corridor:US-EG')).toEqual(['disputes:US-EG freeze']);
  expect(idsOf(wave, 'freeze:corridor:US-EG')).toEqual([]);
  expect(idsOf(wave, 'freeze:market')).toEqual([]);
  expect(idsOf(wave, 'corridor:US-EG')).toEqual([]);
  expect(idsOf(wave, 'freeze:corridor:US-MX')).toHaveLength(2);
});

test('the blast radius is what meets the same trigger, within 3 corridors and a tenth of accounts', () => {
  const radiusOf = (accounts: readonly number[]) =>
    proposalsOf(
      accounts.map((count, nth) =>
        figuresOf({ corridor: `US-A${'ABCD'[nth]}`, disputes: 11, accounts: count }),
      ),
      switchesOf(),
    )[0]?.blastRadius;
  expect(radiusOf([4, 6])).toEqual({
    ...{ corridors: ['US-AA', 'US-AB'], accountsShare: 0.1, isWithin: true },
  });
  expect(radiusOf([5, 6])?.isWithin).toBe(false);
  expect(radiusOf([1, 1, 1])?.isWithin).toBe(true);
  expect(radiusOf([1, 1, 1, 1])?.isWithin).toBe(false);
  expect(radiusOf([90, 90])?.accountsShare).toBe(1);
});
