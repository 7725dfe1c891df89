/**
 * Synthetic traffic: ordinary transactions by habit and fraud by scenario, merged in time order,
 * one at a time. Pure: no clock, no I/O; the same options give the same rows.
 */
import { createRandom, hashText, type Random } from '../../kit/random.ts';
import { DAY_MS, HOUR_MS } from '../../kit/words/range.ts';
import { fraudEvents, type Period } from './fraud.ts';
import {
  ACTIVITY_MAX,
  busyIndex,
  createWorld,
  type Draft,
  type Event,
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
};

/** A row of the output. Times are epoch milliseconds, UTC. */
export type SimulatedTransaction = Draft & {
  readonly idempotencyKey: string;
  readonly createdAtMs: number;
  readonly scenario: string;
  /** When an investigation would have decided whether it is fraud. */
  readonly labelledAtMs: number;
  readonly metadata?: Readonly<Record<string, number>>;
};

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
  // An account is drawn by its share of the traffic, and accepted by its activity at the hour.
  const actor = (random: Random, atMs: number) => {
    let index = busyIndex(world, random);
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      if (random() * ACTIVITY_MAX < world.accounts.activity(index, atMs)) break;
      index = busyIndex(world, random);
    }
    return index;
  };
  return { world, actor };
}

export function* simulate(
  options: SimulateOptions,
  population: Population = habitual(options),
): Generator<SimulatedTransaction, void> {
  const labels = createRandom(`${options.seed}/labels`);
  const keyPrefix = `sim_${runName(options)}_`;
  let index = 0;
  for (const { atMs, scenario, draft } of merged(population, options)) {
    const labelledAtMs = atMs + Math.floor((1 + LABEL_DELAY_DAYS * labels()) * DAY_MS);
    const idempotencyKey = keyPrefix + index++;
    yield { idempotencyKey, createdAtMs: atMs, scenario, labelledAtMs, ...draft };
  }
}

/** Other options give other transactions, and their keys must never meet in one engine. */
function runName(options: SimulateOptions): string {
  const { transactions, accounts, merchants, days, endMs, seed, fraudRate } = options;
  const text = JSON.stringify([transactions, accounts, merchants, days, endMs, seed, fraudRate]);
  return hashText(text, 1).toString(36) + hashText(text, 2).toString(36);
}

function* merged(
  { world, actor }: Population,
  { transactions, days, endMs, seed, fraudRate }: SimulateOptions,
): Generator<Event, void> {
  const period = { fromMs: endMs - days * DAY_MS, toMs: endMs };
  const count = Math.round(transactions * fraudRate);
  const random = createRandom(`${seed}/ordinary`);
  const frauds = fraudEvents(world, createRandom(`${seed}/fraud`), period, count);
  let fraud = frauds.next();
  for (const atMs of arrivals(world, random, period, transactions - count)) {
    for (; !fraud.done && fraud.value.atMs < atMs; fraud = frauds.next()) yield fraud.value;
    const account = world.accounts.get(actor(random, atMs));
    yield { atMs, scenario: 'none', draft: usualTransaction(world, account, random) };
  }
  for (; !fraud.done; fraud = frauds.next()) yield fraud.value;
}

const WEEK_HOURS = 7 * 24;
/** Accounts asked how active they are in each hour of the week. */
const SAMPLE_ACCOUNTS = 400;

/** Share of the transactions before the end of each hour of the period: rising from above 0 to 1. */
function cumulativeActivity(world: World, random: Random, { fromMs, toMs }: Period): number[] {
  const sample = Array.from({ length: SAMPLE_ACCOUNTS }, () => busyIndex(world, random));
  const firstMs = Math.floor(fromMs / HOUR_MS) * HOUR_MS;
  const ofWeek = Array.from({ length: WEEK_HOURS }, (_, hour) =>
    sample.reduce((sum, at) => sum + world.accounts.activity(at, firstMs + hour * HOUR_MS), 0),
  );
  let total = 0;
  const sums = Array.from({ length: Math.ceil((toMs - fromMs) / HOUR_MS) }, (_, hour) => {
    total += ofWeek[hour % WEEK_HOURS] ?? 0;
    return total;
  });
  return sums.map((sum) => sum / total);
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
    const before = cumulative[hour - 1] ?? 0;
    const within = (share - before) / ((cumulative[hour] ?? 1) - before);
    const atMs = Math.floor(period.fromMs + (hour + within) * HOUR_MS);
    yield Math.min(Math.max(atMs, period.fromMs), period.toMs - 1);
  }
}

export const transactionLine = (row: SimulatedTransaction): string =>
  lineOf({
    idempotency_key: row.idempotencyKey,
    account_id: row.accountId,
    merchant_id: row.merchantId,
    amount: row.amount,
    currency: row.currency,
    corridor: row.corridor,
    created_at: new Date(row.createdAtMs).toISOString(),
    type: row.type,
    ip: row.ip,
    device_id: row.deviceId,
    country: row.country,
    channel: row.channel,
    metadata: row.metadata,
  });

export const labelLine = (row: SimulatedTransaction): string =>
  lineOf({
    idempotency_key: row.idempotencyKey,
    label: row.scenario === 'none' ? 'legitimate' : 'fraud',
    labelled_at: new Date(row.labelledAtMs).toISOString(),
    source: 'simulation',
    scenario: row.scenario,
  });

const lineOf = (fields: Readonly<Record<string, unknown>>) => `${JSON.stringify(fields)}\n`;
