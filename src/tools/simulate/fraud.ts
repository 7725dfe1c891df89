/**
 * Fraud over time: episodes of the scenarios in turn, spread evenly over the period until the budget of fraudulent transactions is
 * spent, merged into one stream in time order. Only episodes under way are held.
 */
import { currencyScale } from '../../core/domain/currency.ts';
import { reportingLimitMinor } from '../../core/domain/reporting-limit.ts';
import { between, integerBetween, logNormal, type Random } from '../../kit/random.ts';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../kit/words/range.ts';
import { money, unitsPerDollar } from './geography.ts';
import {
  type Account,
  AMOUNT_SIGMA,
  anyAccount,
  type Draft,
  type Event,
  foreignCountry,
  otherMerchant,
  strangeDevice,
  testAddress,
  usualTransaction,
  type World,
} from './world.ts';

export type Period = { readonly fromMs: number; readonly toMs: number };

/** `begin` fixes an episode's victim or accomplices; the function it returns makes one transaction at a time, in time order. */
type Scenario = {
  /** Transactions of one episode, both ends included. */
  readonly size: readonly [min: number, max: number];
  readonly durationMs: readonly [min: number, max: number];
  readonly begin: (world: World, random: Random) => () => Draft;
};

const DRAWS_MAX = 100;
const LIMIT_BY_DEFAULT = 10_000;

/** Reporting limit in units of the currency; NaN where there is none. */
const limitOf = (currency: string) =>
  reportingLimitMinor(currency) / 10 ** (currencyScale(currency) ?? 2);

function limitedAccount(world: World, random: Random): Account {
  for (let draw = 0; ; draw++) {
    const account = anyAccount(world, random);
    if (draw === DRAWS_MAX || limitOf(account.currency) > 0) return account;
  }
}

/** Why a transaction is fraud. Episodes of all scenarios follow each other in this order. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  /** Somebody logs in from a new device abroad and empties the account within an hour or two. */
  account_takeover: {
    size: [8, 16],
    durationMs: [20 * MINUTE_MS, 2 * HOUR_MS],
    begin: (world, random) => {
      const account = anyAccount(world, random);
      const fixed = {
        type: 'transfer' as const,
        channel: 'web',
        deviceId: strangeDevice(random),
        country: foreignCountry(account, random),
        ip: testAddress(random()),
      };
      return () => ({
        ...usualTransaction(world, account, random),
        ...fixed,
        merchantId: otherMerchant(world, account, random),
        amount: money(account.level * between(random, 1.5, 4), account.currency),
      });
    },
  },
  /** A large sum is cut into transfers that each stay just below the reporting limit of the currency. */
  structuring: {
    size: [4, 8],
    durationMs: [12 * HOUR_MS, 2.5 * DAY_MS],
    begin: (world, random) => {
      const account = limitedAccount(world, random);
      const limit = limitOf(account.currency) || LIMIT_BY_DEFAULT;
      const merchantId = otherMerchant(world, account, random);
      return () => ({
        ...usualTransaction(world, account, random),
        merchantId,
        type: 'transfer',
        amount: money(Math.round(limit * between(random, 0.88, 0.995)), account.currency),
      });
    },
  },
  /** A card is stolen for some days: the owner's places and hours, amounts three to seven times the habit. */
  stolen_account: {
    size: [8, 18],
    durationMs: [3 * DAY_MS, 10 * DAY_MS],
    begin: (world, random) => {
      const account = anyAccount(world, random);
      const device = strangeDevice(random);
      return () => {
        const usual = usualTransaction(world, account, random);
        const elsewhere = random() < 0.5;
        return {
          ...usual,
          amount: money(account.level * between(random, 3, 7), account.currency),
          merchantId: elsewhere ? otherMerchant(world, account, random) : usual.merchantId,
          deviceId: random() < 0.4 ? device : usual.deviceId,
        };
      };
    },
  },
  /** Cards of a merchant's customers are used there by somebody else: ordinary amounts, strange devices. */
  compromised_merchant: {
    size: [15, 35],
    durationMs: [2 * DAY_MS, 7 * DAY_MS],
    begin: (world, random) => {
      const merchantId = otherMerchant(world, anyAccount(world, random), random);
      return () => {
        const account = anyAccount(world, random);
        const median = account.level * between(random, 1, 2.5);
        return {
          ...usualTransaction(world, account, random),
          merchantId,
          amount: money(logNormal(random, median, AMOUNT_SIGMA), account.currency),
          deviceId: strangeDevice(random),
        };
      };
    },
  },
  /** Many accounts that never met pay one small merchant within an hour: money is being collected. */
  mule_fan_in: {
    size: [25, 45],
    durationMs: [15 * MINUTE_MS, 50 * MINUTE_MS],
    begin: (world, random) => {
      const { count, id } = world.merchants;
      // The less popular half: a merchant with little traffic of its own.
      const merchantId = id(integerBetween(random, Math.floor(count / 2), count - 1));
      return () => {
        const account = anyAccount(world, random);
        const dollars = Math.round(between(random, 20, 90)) * 10;
        return {
          ...usualTransaction(world, account, random),
          merchantId,
          type: 'transfer',
          amount: money(Math.round(dollars * unitsPerDollar(account.currency)), account.currency),
        };
      };
    },
  },
};

/** An episode, with the time and the draft of its next transaction. */
type Episode = {
  readonly scenario: string;
  readonly startMs: number;
  /** Time between two transactions, before jitter. */
  readonly stepMs: number;
  readonly size: number;
  readonly next: () => Draft;
  made: number;
  atMs: number;
};

/** No episode begins in the last 3 % of the period: it would have no time to unfold. */
const LAST_START = 0.97;

/** `count` fraudulent transactions in time order. */
export function* fraudEvents(
  world: World,
  random: Random,
  period: Period,
  count: number,
): Generator<Event, void> {
  const underWay: Episode[] = [];
  const upcoming = episodes(world, random, period, count);
  let begins = upcoming.next();
  for (let made = 0; made < count; made++) {
    while (!begins.done && begins.value.startMs <= (underWay[0]?.atMs ?? Infinity)) {
      insert(underWay, begins.value);
      begins = upcoming.next();
    }
    const episode = underWay.shift();
    if (episode === undefined) return;
    yield { atMs: episode.atMs, scenario: episode.scenario, draft: episode.next() };
    episode.made++;
    // A transaction in each step, anywhere within the step.
    episode.atMs = Math.floor(episode.startMs + (episode.made + random()) * episode.stepMs);
    if (episode.made < episode.size) insert(underWay, episode);
  }
}

/** Inserts in the order of `atMs`. */
function insert(underWay: Episode[], episode: Episode): void {
  const later = underWay.findIndex(({ atMs }) => atMs > episode.atMs);
  underWay.splice(later < 0 ? underWay.length : later, 0, episode);
}

/** Episodes by start time; their sizes add up to `count`. */
function* episodes(
  world: World,
  random: Random,
  period: Period,
  count: number,
): Generator<Episode, void> {
  const startsMs = (period.toMs - period.fromMs) * LAST_START;
  for (let planned = 0; ; ) {
    for (const [scenario, { begin, ...bounds }] of Object.entries(SCENARIOS)) {
      if (planned === count) return;
      const size = Math.min(integerBetween(random, ...bounds.size), count - planned);
      const startMs = period.fromMs + (startsMs * (planned + random() * size)) / count;
      const durationMs = Math.min(between(random, ...bounds.durationMs), period.toMs - 1 - startMs);
      const next = begin(world, random);
      const stepMs = durationMs / size;
      const atMs = Math.floor(startMs + random() * stepMs);
      yield { scenario, startMs, stepMs, size, next, made: 0, atMs };
      planned += size;
    }
  }
}
