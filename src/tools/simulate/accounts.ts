/**
 * Accounts with habits: home corridor, hours, weekends, amount level, favourite merchants, devices.
 * Every habit is a trait of the index, so a million accounts cost no memory.
 */
import { normal, type Trait } from '../../kit/random.ts';
import {
  CORRIDORS,
  COUNTRIES,
  type Corridor,
  type CountryCode,
  FOREIGN_CURRENCIES,
  unitsPerDollar,
} from './geography.ts';
import type { Merchants } from './merchants.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Numbers of the traits of an account; favourites take the numbers from FAVOURITE on. */
const TRAIT = {
  corridor: 0,
  peakHour: 1,
  spread: 2,
  weekend: 3,
  levelFirst: 4,
  levelSecond: 5,
  currency: 6,
  foreign: 7,
  ip: 8,
  channel: 9,
  night: 10,
  favourite: 20,
} as const;

export const FAVOURITES = 6;
/** Share of accounts in a currency other than their country's. */
const FOREIGN_SHARE = 0.06;
/** Share of accounts that are active at night. */
const NIGHT_SHARE = 0.04;
/** Median account's usual amount, US dollars. */
const LEVEL_DOLLARS = 45;

export type Account = {
  readonly index: number;
  readonly id: string;
  readonly corridor: string;
  readonly home: CountryCode;
  readonly destination: CountryCode;
  readonly currency: string;
  /** Median amount, in units of `currency`. */
  readonly level: number;
  readonly deviceId: string;
  readonly channel: string;
};

export type Accounts = {
  readonly count: number;
  get(index: number): Account;
  favourite(account: Account, nth: number): number;
  /** How likely the account acts at this time, in (0, ACTIVITY_MAX]. */
  activity(index: number, atMs: number): number;
};

export const ACTIVITY_MAX = 1.6;

/** Activity by hours from the peak hour, for a spread of 2, 3, 4 and 5 hours. */
const HOUR_CURVES = [2, 3, 4, 5].map((spread) =>
  Float64Array.from({ length: 24 }, (_, hours) => {
    const distance = Math.min(hours, 24 - hours);
    return 0.008 + Math.exp((-distance * distance) / (2 * spread * spread));
  }),
);

const CHANNELS = ['mobile', 'web', 'pos'] as const;

/** An address of 198.18.0.0/15, which is reserved for tests (RFC 2544). */
export function testAddress(at: number): string {
  const host = Math.floor(at * 131_072);
  return `198.${18 + (host >>> 16)}.${(host >>> 8) & 255}.${host & 255}`;
}

/** The account's usual address. */
export function homeAddress(account: Account, trait: Trait): string {
  return testAddress(trait(account.index, TRAIT.ip));
}

/** @param corridors their home corridors, one at least */
export function createAccounts(
  count: number,
  merchants: Merchants,
  trait: Trait,
  corridors: readonly [Corridor, ...Corridor[]] = CORRIDORS,
): Accounts {
  const corridorOf = (index: number) =>
    corridors[Math.floor(trait(index, TRAIT.corridor) * corridors.length)] ?? corridors[0];
  return {
    count,
    get: (index) => readAccount(index, corridorOf(index), trait),
    favourite: (account, nth) =>
      merchants.inCountry(account.destination, trait(account.index, TRAIT.favourite + nth)),
    activity(index, atMs) {
      const localMs = atMs + COUNTRIES[corridorOf(index).source].utcOffsetHours * HOUR_MS;
      const hour = Math.floor(localMs / HOUR_MS) % 24;
      const night = trait(index, TRAIT.night) < NIGHT_SHARE;
      const peak = (night ? 0 : 10) + Math.floor(trait(index, TRAIT.peakHour) * (night ? 5 : 11));
      const curve = HOUR_CURVES[Math.floor(trait(index, TRAIT.spread) * HOUR_CURVES.length)];
      const byHour = curve?.[(hour - peak + 24) % 24] ?? 0;
      // 1970-01-01 was a Thursday: day 2 and 3 of each such week are Saturday and Sunday.
      const weekday = Math.floor(localMs / DAY_MS) % 7;
      const weekend = weekday === 2 || weekday === 3;
      return weekend ? byHour * (0.4 + 1.1 * trait(index, TRAIT.weekend)) : byHour;
    },
  };
}

function readAccount(index: number, corridor: Corridor, trait: Trait): Account {
  const foreign = Math.floor(trait(index, TRAIT.foreign) * FOREIGN_CURRENCIES.length);
  const currency =
    trait(index, TRAIT.currency) < FOREIGN_SHARE
      ? (FOREIGN_CURRENCIES[foreign] ?? FOREIGN_CURRENCIES[0])
      : COUNTRIES[corridor.source].currency;
  const spread = normal(trait(index, TRAIT.levelFirst), trait(index, TRAIT.levelSecond));
  return {
    index,
    id: `account_${index}`,
    corridor: corridor.name,
    home: corridor.source,
    destination: corridor.destination,
    currency,
    level: LEVEL_DOLLARS * Math.exp(0.6 * spread) * unitsPerDollar(currency),
    deviceId: `device_${index}_0`,
    channel: CHANNELS[Math.floor(trait(index, TRAIT.channel) * CHANNELS.length)] ?? 'web',
  };
}
