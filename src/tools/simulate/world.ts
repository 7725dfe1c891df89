/**
 * The simulated world: accounts with habits (home corridor, hours, weekends, amount level, favourite merchants, devices), merchants,
 * and an ordinary transaction of an account. Every habit is a trait of the index, so a million accounts cost no memory.
 */
import {
  createTrait,
  integerBetween,
  logNormal,
  normal,
  pick,
  type Random,
  type Trait,
} from '../../kit/random.ts';
import { DAY_MS, HOUR_MS } from '../../kit/words/range.ts';
import { CORRIDORS, COUNTRIES, MERCHANT_COUNTRIES, money, unitsPerDollar } from './geography.ts';

/** The fields that habits and scenarios decide. */
export type Draft = ReturnType<typeof usualTransaction>;

export type Event = {
  readonly atMs: number;
  /** Why the transaction is fraud; `none` is legitimate. */
  readonly scenario: string;
  readonly draft: Draft;
};

const PRICE_FIRST = 1000;
const PRICE_SECOND = 1001;

export type Merchants = ReturnType<typeof createMerchants>;

export function createMerchants(count: number, trait: Trait) {
  const slots = new Map<string, number[]>();
  for (const [slot, country] of MERCHANT_COUNTRIES.entries()) {
    if (slot < count) slots.set(country, [...(slots.get(country) ?? []), slot]);
  }
  const blocks = Math.ceil(count / MERCHANT_COUNTRIES.length);
  return {
    count,
    id: (index: number) => `merchant_${index}`,
    /** Factor on an account's usual amount: 1 in the middle, about 0.4 to 2.5 for most. */
    priceLevel: (index: number) =>
      Math.exp(0.45 * normal(trait(index, PRICE_FIRST), trait(index, PRICE_SECOND))),
    /** The merchant of a country that the number in [0, 1) points at; popular ones more often. */
    inCountry(country: string, at: number): number {
      const own = slots.get(country) ?? [0];
      const position = Math.floor(at * (0.1 + 0.9 * at) * blocks * own.length);
      const slot = own[position % own.length] ?? 0;
      const index = Math.floor(position / own.length) * MERCHANT_COUNTRIES.length + slot;
      return index < count ? index : slot;
    },
  };
}

/** Numbers of the traits of an account; favourites take the numbers from `favourite` on. */
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

const FAVOURITES = 6;
/** Share of accounts in a currency other than their country's: scales 0, 2 and 3 are all exercised. */
const FOREIGN_SHARE = 0.06;
const FOREIGN_CURRENCIES = ['JPY', 'EGP', 'KWD', 'INR'] as const;
/** Share of accounts that are active at night. */
const NIGHT_SHARE = 0.04;
/** Median account's usual amount, US dollars. */
const LEVEL_DOLLARS = 45;
const CHANNELS = ['mobile', 'web', 'pos'] as const;

export type Account = ReturnType<ReturnType<typeof createAccounts>['get']>;

export const ACTIVITY_MAX = 1.6;

/** An address of 198.18.0.0/15, which is reserved for tests (RFC 2544). */
export function testAddress(at: number): string {
  const host = Math.floor(at * 131_072);
  return `198.${18 + (host >>> 16)}.${(host >>> 8) & 255}.${host & 255}`;
}

export function createAccounts(count: number, trait: Trait) {
  const corridorOf = (index: number) => pick(() => trait(index, TRAIT.corridor), CORRIDORS);
  return {
    count,
    get(index: number) {
      const corridor = corridorOf(index);
      const isForeign = trait(index, TRAIT.currency) < FOREIGN_SHARE;
      const foreign = pick(() => trait(index, TRAIT.foreign), FOREIGN_CURRENCIES);
      const currency = isForeign ? foreign : corridor.currency;
      const spread = normal(trait(index, TRAIT.levelFirst), trait(index, TRAIT.levelSecond));
      return {
        id: `account_${index}`,
        corridor: corridor.name,
        home: corridor.source,
        destination: corridor.destination,
        currency,
        /** Median amount, in units of `currency`. */
        level: LEVEL_DOLLARS * Math.exp(0.6 * spread) * unitsPerDollar(currency),
        deviceId: (nth: number) => `device_${index}_${nth}`,
        channel: pick(() => trait(index, TRAIT.channel), CHANNELS),
        ip: () => testAddress(trait(index, TRAIT.ip)),
        /** A number in [0, 1) that points at a merchant of the destination. */
        favourite: (nth: number) => trait(index, TRAIT.favourite + nth),
      };
    },
    /** How likely the account acts at this time, in (0, ACTIVITY_MAX]. */
    activity(index: number, atMs: number): number {
      const localMs = atMs + corridorOf(index).utcOffsetHours * HOUR_MS;
      const hour = Math.floor(localMs / HOUR_MS) % 24;
      const night = trait(index, TRAIT.night) < NIGHT_SHARE;
      const peak = (night ? 0 : 10) + Math.floor(trait(index, TRAIT.peakHour) * (night ? 5 : 11));
      const hours = Math.abs(hour - peak);
      const distance = Math.min(hours, 24 - hours);
      const spread = 2 + Math.floor(4 * trait(index, TRAIT.spread));
      const byHour = 0.008 + Math.exp((-distance * distance) / (2 * spread * spread));
      // 1970-01-01 was a Thursday: day 2 and 3 of each such week are Saturday and Sunday.
      const weekday = Math.floor(localMs / DAY_MS) % 7;
      const weekend = weekday === 2 || weekday === 3;
      return weekend ? byHour * (0.4 + 1.1 * trait(index, TRAIT.weekend)) : byHour;
    },
  };
}

/** Share of transactions with one of the favourite merchants. */
const FAVOURITE_SHARE = 0.93;
const SECOND_DEVICE_SHARE = 0.06;
const TRAVEL_SHARE = 0.002;
/** Deviation of the logarithm of an account's amounts around its level. */
export const AMOUNT_SIGMA = 0.35;

export type World = ReturnType<typeof createWorld>;

export function createWorld(seed: string, accounts: number, merchants: number) {
  return {
    accounts: createAccounts(accounts, createTrait(`${seed}/world`)),
    merchants: createMerchants(merchants, createTrait(`${seed}/merchants`)),
  };
}

/** Any account; low indices act more often, so that some are busy and some hardly act. */
export function anyAccount(world: World, random: Random): Account {
  return world.accounts.get(busyIndex(world, random));
}

export function busyIndex(world: World, random: Random): number {
  const at = random();
  return Math.floor(world.accounts.count * at * (0.2 + 0.8 * at));
}

/** A country that is not the account's home. */
export function foreignCountry({ home }: Account, random: Random): string {
  const country = pick(random, COUNTRIES as [string, ...string[]]);
  if (country !== home) return country;
  return home === 'NG' ? 'TR' : 'NG';
}

/** A merchant of the account's corridor that it rarely visits. */
export function otherMerchant({ merchants }: World, account: Account, random: Random): string {
  return merchants.id(merchants.inCountry(account.destination, random()));
}

/** An ordinary transaction of the account, by its habits. */
export function usualTransaction({ merchants }: World, account: Account, random: Random) {
  const isFavourite = random() < FAVOURITE_SHARE;
  const at = isFavourite
    ? account.favourite(Math.floor(random() * random() * FAVOURITES))
    : random();
  const merchant = merchants.inCountry(account.destination, at);
  const median = account.level * merchants.priceLevel(merchant);
  const units = logNormal(random, median, AMOUNT_SIGMA);
  const isSecond = random() < SECOND_DEVICE_SHARE;
  const travels = random() < TRAVEL_SHARE;
  return {
    accountId: account.id,
    merchantId: merchants.id(merchant),
    amount: money(units, account.currency),
    currency: account.currency,
    corridor: account.corridor,
    type: 'payment' as 'payment' | 'transfer',
    ip: account.ip(),
    deviceId: account.deviceId(isSecond ? 1 : 0),
    country: travels ? foreignCountry(account, random) : account.home,
    channel: account.channel as string,
  };
}

/** A device that the account never used. */
export function strangeDevice(random: Random): string {
  return `device_x${integerBetween(random, 0, 0xffffffff).toString(16).padStart(8, '0')}`;
}
