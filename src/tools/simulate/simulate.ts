/**
 * Synthetic traffic: ordinary transactions by habit and fraud by scenario, merged in time order,
 * one at a time. Pure: no clock, no I/O; the same options give the same rows.
 */
import { between, createRandom, hashText, type Random } from '../../kit/random.ts';
import { fraudEvents, type Period } from './fraud.ts';
import { money } from './geography.ts';
import {
  ACTIVITY_MAX,
  busyIndex,
  createWorld,
  type Event,
  type SimulatedTransaction,
  usualTransaction,
  type World,
} from './world.ts';

export type SimulateOptions = {
  readonly transactions: number;
  readonly accounts: number;
  readonly merchants: number;
  readonly days: number;
  /** End of the period, epoch milliseconds; no transaction happens at or after it. */
  readonly endMs: number;
  readonly seed: string;
  /** Share of fraudulent transactions, 0 to 1. */
  readonly fraudRate: number;
  /** Share of a corridor's ordinary transactions that are many times the usual amount, 0 to 1. */
  readonly gifts?: { readonly corridor: string; readonly share: number } | undefined;
};

const DAY_MS = 86_400_000;
/** After this many refusals the account acts in spite of the hour. */
const DRAWS_MAX = 64;
/** Investigations take between one and six days. */
const LABEL_DELAY_DAYS = 5;

/** Accounts and merchants whose transactions are simulated. */
export type Population = {
  readonly world: World;
  /** Index of an account that acts at a time. */
  readonly actor: (random: Random, atMs: number) => number;
};

/** Accounts of habits, some busy and some that hardly act. */
export function habitual({ seed, accounts, merchants }: SimulateOptions): Population {
  const world = createWorld(seed, accounts, merchants);
  return { world, actor: (random, atMs) => activeIndex(world, random, atMs) };
}

export function* simulate(
  options: SimulateOptions,
  population: Population = habitual(options),
): Generator<SimulatedTransaction, void> {
  const period = { fromMs: options.endMs - options.days * DAY_MS, toMs: options.endMs };
  const frauds = Math.round(options.transactions * options.fraudRate);
  const labels = createRandom(`${options.seed}/labels`);
  const keyPrefix = `sim_${runName(options)}_`;
  let index = 0;
  for (const event of merged(population, options, period, frauds)) {
    const labelledAtMs = event.atMs + Math.floor((1 + LABEL_DELAY_DAYS * labels()) * DAY_MS);
    yield {
      idempotencyKey: keyPrefix + index++,
      createdAtMs: event.atMs,
      scenario: event.scenario,
      labelledAtMs,
      ...event.draft,
    };
  }
}

/** Other options give other transactions, and their keys must never meet in one engine. */
function runName(options: SimulateOptions): string {
  const { transactions, accounts, merchants, days, endMs, seed, fraudRate, gifts } = options;
  const all = [transactions, accounts, merchants, days, endMs, seed, fraudRate, gifts];
  const text = JSON.stringify(all.filter((option) => option !== undefined));
  return hashText(text, 1).toString(36) + hashText(text, 2).toString(36);
}

function* merged(
  { world, actor }: Population,
  options: SimulateOptions,
  period: Period,
  frauds: number,
): Generator<Event, void> {
  const random = createRandom(`${options.seed}/ordinary`);
  const gifts = createRandom(`${options.seed}/gifts`);
  const fraud = fraudEvents(world, createRandom(`${options.seed}/fraud`), period, frauds);
  let crime = fraud.next();
  for (const atMs of arrivals(world, random, period, options.transactions - frauds)) {
    while (!crime.done && crime.value.atMs < atMs) {
      yield crime.value;
      crime = fraud.next();
    }
    const account = world.accounts.get(actor(random, atMs));
    const usual = usualTransaction(world, account, random);
    const isGift = account.corridor === options.gifts?.corridor && gifts() < options.gifts.share;
    // A good customer sends many times the usual amount, as for a wedding.
    const units = isGift ? account.level * between(gifts, 8, 14) : undefined;
    const amount = units === undefined ? usual.amount : money(units, account.currency);
    yield { atMs, scenario: 'none', draft: { ...usual, amount } };
  }
  for (; !crime.done; crime = fraud.next()) yield crime.value;
}

/**
 * An account that acts at this time: drawn by its share of the traffic, accepted by its activity at the hour.
 */
function activeIndex(world: World, random: Random, atMs: number): number {
  let index = busyIndex(world, random);
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    if (random() * ACTIVITY_MAX < world.accounts.activity(index, atMs)) break;
    index = busyIndex(world, random);
  }
  return index;
}

const HOUR_MS = 3_600_000;
const WEEK_HOURS = 7 * 24;
/** Accounts asked how active they are in each hour of the week. */
const SAMPLE_ACCOUNTS = 400;

/** Share of the transactions before the end of each hour of the period: rising from above 0 to 1. */
function cumulativeActivity(world: World, random: Random, period: Period): Float64Array {
  const sample = Array.from({ length: SAMPLE_ACCOUNTS }, () => busyIndex(world, random));
  const firstHour = Math.floor(period.fromMs / HOUR_MS);
  const ofWeek = new Float64Array(WEEK_HOURS);
  for (let hour = 0; hour < WEEK_HOURS; hour++) {
    const atMs = (firstHour + hour) * HOUR_MS;
    for (const index of sample) {
      ofWeek[hour] = (ofWeek[hour] ?? 0) + world.accounts.activity(index, atMs);
    }
  }
  const hours = Math.ceil((period.toMs - period.fromMs) / HOUR_MS);
  const cumulative = new Float64Array(hours);
  let total = 0;
  for (let hour = 0; hour < hours; hour++) {
    total += ofWeek[hour % WEEK_HOURS] ?? 0;
    cumulative[hour] = total;
  }
  return cumulative.map((sum) => sum / total);
}

/**
 * When ordinary transactions happen: exactly `count` times in rising order, denser in the hours in which the accounts are awake.
 * Times are not sorted: each is drawn as the next order statistic.
 */
function* arrivals(
  world: World,
  random: Random,
  period: Period,
  count: number,
): Generator<number, void> {
  const cumulative = cumulativeActivity(world, random, period);
  let share = 0;
  let hour = 0;
  for (let left = count; left > 0; left--) {
    // The smallest of `left` uniforms on (share, 1).
    share += (1 - share) * -Math.expm1(Math.log1p(-random()) / left);
    while (hour < cumulative.length - 1 && (cumulative[hour] ?? 1) <= share) hour++;
    const before = hour === 0 ? 0 : (cumulative[hour - 1] ?? 0);
    const within = (share - before) / ((cumulative[hour] ?? 1) - before);
    const atMs = Math.floor(period.fromMs + (hour + within) * HOUR_MS);
    yield Math.min(Math.max(atMs, period.fromMs), period.toMs - 1);
  }
}
