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
import {
  CORRIDORS,
  COUNTRIES,
  type Corridor,
  type CountryCode,
  FOREIGN_CURRENCIES,
  MERCHANT_COUNTRIES,
  money,
  unitsPerDollar,
} from './geography.ts';

/** Why a transaction is fraud; `none` is legitimate. */
export type ScenarioName =
  | 'none'
  | 'compromised_merchant'
  | 'stolen_account'
  | 'account_takeover'
  | 'structuring'
  | 'mule_fan_in';

/** The fields that habits and scenarios decide. */
export type Draft = ReturnType<typeof usualTransaction>;

export type Event = {
  readonly atMs: number;
  readonly scenario: ScenarioName;
  readonly draft: Draft;
};

/** A row of the output. Times are epoch milliseconds, UTC. */
export type SimulatedTransaction = Draft & {
  readonly idempotencyKey: string;
  readonly createdAtMs: number;
  readonly scenario: ScenarioName;
  /** When an investigation would have decided whether it is fraud. */
  readonly labelledAtMs: number;
};

const PRICE_FIRST = 1000;
const PRICE_SECOND = 1001;

export type Merchants = ReturnType<typeof createMerchants>;

export function createMerchants(count: number, trait: Trait) {
  const slots = new Map<CountryCode, number[]>();
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
    inCountry(country: CountryCode, at: number): number {
      const own = slots.get(country) ?? [0];
      const position = Math.floor(at * (0.1 + 0.9 * at) * blocks * own.length);
      const slot = own[position % own.length] ?? 0;
      const index = Math.floor(position / own.length) * MERCHANT_COUNTRIES.length + slot;
      return index < count ? index : slot;
    },
  };
}

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

const FAVOURITES = 6;
/** Share of accounts in a currency other than their country's. */
const FOREIGN_SHARE = 0.06;
/** Share of accounts that are active at night. */
const NIGHT_SHARE = 0.04;
/** Median account's usual amount, US dollars. */
const LEVEL_DOLLARS = 45;

export type Account = Readonly<ReturnType<typeof readAccount>>;

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

export function createAccounts(count: number, merchants: Merchants, trait: Trait) {
  const corridorOf = (index: number) =>
    CORRIDORS[Math.floor(trait(index, TRAIT.corridor) * CORRIDORS.length)] ?? CORRIDORS[0];
  return {
    count,
    get: (index: number): Account => readAccount(index, corridorOf(index), trait),
    favourite: (account: Account, nth: number) =>
      merchants.inCountry(account.destination, trait(account.index, TRAIT.favourite + nth)),
    /** How likely the account acts at this time, in (0, ACTIVITY_MAX]. */
    activity(index: number, atMs: number): number {
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

function readAccount(index: number, corridor: Corridor, trait: Trait) {
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
    /** Median amount, in units of `currency`. */
    level: LEVEL_DOLLARS * Math.exp(0.6 * spread) * unitsPerDollar(currency),
    deviceId: `device_${index}_0`,
    channel: CHANNELS[Math.floor(trait(index, TRAIT.channel) * CHANNELS.length)] ?? 'web',
  };
}

/** Share of transactions with one of the favourite merchants. */
const FAVOURITE_SHARE = 0.93;
const SECOND_DEVICE_SHARE = 0.06;
const TRAVEL_SHARE = 0.002;
/** Deviation of the logarithm of an account's amounts around its level. */
export const AMOUNT_SIGMA = 0.35;

const COUNTRY_CODES = Object.keys(COUNTRIES) as [CountryCode, ...CountryCode[]];

export type World = ReturnType<typeof createWorld>;

export function createWorld(seed: string, accounts: number, merchants: number) {
  const trait = createTrait(`${seed}/world`);
  const all = createMerchants(merchants, createTrait(`${seed}/merchants`));
  return { accounts: createAccounts(accounts, all, trait), merchants: all, trait };
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
export function foreignCountry(account: Account, random: Random): CountryCode {
  const country = pick(random, COUNTRY_CODES);
  return country === account.home ? (account.home === 'NG' ? 'TR' : 'NG') : country;
}

/** A merchant of the account's corridor that it rarely visits. */
export function otherMerchant({ merchants }: World, account: Account, random: Random): string {
  return merchants.id(merchants.inCountry(account.destination, random()));
}

/** An ordinary transaction of the account, by its habits. */
export function usualTransaction(world: World, account: Account, random: Random) {
  const { accounts, merchants } = world;
  const isFavourite = random() < FAVOURITE_SHARE;
  const merchant = isFavourite
    ? accounts.favourite(account, Math.floor(random() * random() * FAVOURITES))
    : merchants.inCountry(account.destination, random());
  const median = account.level * merchants.priceLevel(merchant);
  const units = logNormal(random, median, AMOUNT_SIGMA);
  const isSecond = random() < SECOND_DEVICE_SHARE;
  const travels = random() < TRAVEL_SHARE;
  return {
    accountId: account.id,
    merchantId: merchants.id(merchant),
    amount: money(units, account.currency),
    currency: account.currency as string,
    corridor: account.corridor,
    type: 'payment' as 'payment' | 'transfer',
    ip: testAddress(world.trait(account.index, TRAIT.ip)),
    deviceId: isSecond ? `device_${account.index}_1` : account.deviceId,
    country: (travels ? foreignCountry(account, random) : account.home) as string,
    channel: account.channel as string,
  };
}

/** A device that the account never used. */
export function strangeDevice(random: Random): string {
  return `device_x${integerBetween(random, 0, 0xffffffff).toString(16).padStart(8, '0')}`;
}
