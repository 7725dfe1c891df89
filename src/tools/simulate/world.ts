/** The simulated world: its accounts and merchants, and an ordinary transaction of an account. */
import {
  between,
  createTrait,
  integerBetween,
  logNormal,
  pick,
  type Random,
  type Trait,
} from '../../kit/random.ts';
import {
  type Account,
  type Accounts,
  createAccounts,
  FAVOURITES,
  homeAddress,
} from './accounts.ts';
import { CORRIDORS, COUNTRIES, type CountryCode, money } from './geography.ts';
import { createMerchants, type Merchants } from './merchants.ts';
import type { Draft } from './transaction.ts';

export type World = {
  readonly accounts: Accounts;
  readonly merchants: Merchants;
  readonly trait: Trait;
};

/** Share of transactions with one of the favourite merchants. */
const FAVOURITE_SHARE = 0.93;
const SECOND_DEVICE_SHARE = 0.06;
const TRAVEL_SHARE = 0.002;
/** Deviation of the logarithm of an account's amounts around its level. */
export const AMOUNT_SIGMA = 0.35;

const COUNTRY_CODES = Object.keys(COUNTRIES) as [CountryCode, ...CountryCode[]];

/** @param corridor of all accounts; undefined: the corridors of a market */
export function createWorld(
  seed: string,
  accounts: number,
  merchants: number,
  corridor?: string,
): World {
  const trait = createTrait(`${seed}/world`);
  const all = createMerchants(merchants, createTrait(`${seed}/merchants`));
  const only = CORRIDORS.find(({ name }) => name === corridor);
  const corridors = only === undefined ? CORRIDORS : ([only] as const);
  return { accounts: createAccounts(accounts, all, trait, corridors), merchants: all, trait };
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
export function otherMerchant(world: World, account: Account, random: Random): number {
  return world.merchants.inCountry(account.destination, random());
}

/** An ordinary transaction of the account, by its habits. */
export function usualTransaction(world: World, account: Account, random: Random): Draft {
  const favourite = random() < FAVOURITE_SHARE;
  const merchant = favourite
    ? world.accounts.favourite(account, Math.floor(random() * random() * FAVOURITES))
    : otherMerchant(world, account, random);
  const units = logNormal(
    random,
    account.level * world.merchants.priceLevel(merchant),
    AMOUNT_SIGMA,
  );
  const second = random() < SECOND_DEVICE_SHARE;
  const travels = random() < TRAVEL_SHARE;
  return {
    accountId: account.id,
    merchantId: world.merchants.id(merchant),
    amount: money(units, account.currency),
    currency: account.currency,
    corridor: account.corridor,
    type: 'payment',
    ip: homeAddress(account, world.trait),
    deviceId: second ? `device_${account.index}_1` : account.deviceId,
    country: travels ? foreignCountry(account, random) : account.home,
    channel: account.channel,
  };
}

/** A good customer sends many times the usual amount, as for a wedding. */
export const gift = (usual: Draft, { level, currency }: Account, random: Random): Draft => ({
  ...usual,
  amount: money(level * between(random, 8, 14), currency),
});

/** A device that the account never used. */
export function strangeDevice(random: Random): string {
  return `device_x${integerBetween(random, 0, 0xffffffff).toString(16).padStart(8, '0')}`;
}
