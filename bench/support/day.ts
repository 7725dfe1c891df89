/**
 * The load `day` is like a production day: corridors of unequal size, parties drawn by Zipf's law that keep their habits, and requests
 * of all sizes. Shares are assumed, as no operator publishes its own.
 */
import { createTrait, type Random } from '../../src/kit/random.ts';
import { MERCHANT_COUNTRIES } from '../../src/tools/simulate/geography.ts';
import type { Population, SimulateOptions } from '../../src/tools/simulate/simulate.ts';
import { createAccounts, createMerchants, type Merchants } from '../../src/tools/simulate/world.ts';
import { zipf } from './zipf.ts';

/**
 * Share of the transactions by corridor, near Zipf's law: payments at home, three large corridors from abroad, and small ones. A
 * worker that gives each corridor an equal turn is then seen, as is the batch of one transaction that a small corridor makes.
 */
export const CORRIDOR_SHARES: Readonly<Record<string, number>> = {
  'US-US': 0.3,
  'US-MX': 0.17,
  'US-IN': 0.12,
  'AE-IN': 0.09,
  'US-PH': 0.08,
  'GB-PK': 0.06,
  'SA-EG': 0.05,
  'GB-NG': 0.04,
  'US-EG': 0.03,
  'FR-MA': 0.03,
  'DE-TR': 0.02,
  'ES-CO': 0.01,
};

/**
 * Share of the requests by their transactions. Of the transactions 6 % are posted singly, 18 % by 20, and 38 % each by 200 and by
 * 1,000, so that the cost of each size is seen in the sum.
 */
export const REQUEST_SHARES: readonly { readonly transactions: number; readonly share: number }[] =
  [
    { transactions: 1, share: 0.85 },
    { transactions: 20, share: 0.12 },
    { transactions: 200, share: 0.025 },
    { transactions: 1000, share: 0.005 },
  ];

/** Transactions of a request, on average. */
export const REQUEST_TRANSACTIONS: number = REQUEST_SHARES.reduce(
  (sum, { transactions, share }) => sum + transactions * share,
  0,
);

/** Sizes of requests, one behind the other. */
export function requestSizes(random: Random): () => number {
  return () => pickByShare(REQUEST_SHARES, random()).transactions;
}

/** Exponent of Zipf's law by which an account of a corridor, and a merchant of a country, is drawn. */
const PARTIES_EXPONENT = 0.9;
/**
 * Transactions of a simulated day, seven a month and account. With more of them the busiest accounts make more than 53 an hour, which
 * default rules take for a burst, and with fewer a run spreads over more months than a table of 20 million rows has.
 */
const DAY_TRANSACTIONS = 50_000;

/** Simulated days of so many transactions. */
export function daysOf(transactions: number): number {
  return Math.max(1, Math.ceil(transactions / DAY_TRANSACTIONS));
}

/** The same for all seeds of a load: what is sent before the clock starts comes from the same accounts. */
const POPULATION_SEED = 'day';

/** Accounts of twelve corridors, each with the habits of a simulated one. */
export function dayPopulation({ accounts: count, merchants: merchantCount }: Parties): Population {
  const trait = createTrait(`${POPULATION_SEED}/world`);
  const merchants = drawnByZipf(
    createMerchants(merchantCount, createTrait(`${POPULATION_SEED}/merchants`)),
  );
  const accounts = createAccounts(count, trait);
  const indices = Map.groupBy(
    Array.from({ length: count }, (_, index) => index),
    (index) => accounts.get(index).corridor,
  );
  // A small number of accounts may leave a corridor without one.
  const corridors = Object.entries(CORRIDOR_SHARES).flatMap(([name, share]) => {
    const own = indices.get(name);
    return own === undefined ? [] : [{ share, own, draw: byZipf(own.length) }];
  });
  const total = corridors.reduce((sum, { share }) => sum + share, 0);
  return {
    world: { accounts, merchants },
    actor: (random) => {
      const { own, draw } = pickByShare(corridors, random() * total);
      return own[draw(random())] ?? 0;
    },
  };
}
type Parties = Pick<SimulateOptions, 'accounts' | 'merchants'>;

/** Merchants of which those of a country are popular by Zipf's law. */
function drawnByZipf(merchants: Merchants): Merchants {
  const ofCountry = Map.groupBy(
    Array.from({ length: merchants.count }, (_, index) => index),
    (index) => MERCHANT_COUNTRIES[index % MERCHANT_COUNTRIES.length] ?? '',
  );
  const draws = new Map([...ofCountry].map(([country, own]) => [country, byZipf(own.length)]));
  return {
    ...merchants,
    inCountry: (country, at) => ofCountry.get(country)?.[draws.get(country)?.(at) ?? 0] ?? 0,
  };
}

/** The index that a number in [0, 1) points at. */
function byZipf(count: number): (at: number) => number {
  let pointed = 0;
  const draw = zipf(count, PARTIES_EXPONENT, () => pointed);
  return (at) => {
    pointed = at;
    return draw();
  };
}

/** The one that `at` points at when the shares lie one behind the other. */
function pickByShare<T extends { readonly share: number }>(some: readonly T[], at: number): T {
  let left = at;
  for (const one of some) {
    left -= one.share;
    if (left < 0) return one;
  }
  const last = some.at(-1);
  if (last === undefined) throw new Error('there is nothing to pick from');
  return last;
}
