/**
 * When ordinary transactions happen: exactly `count` times, in order, denser in the hours in which
 * the accounts are awake. One pass, no sorting: each time is drawn as the next order statistic.
 */
import type { Random } from '../../kit/random.ts';
import { busyIndex, type World } from './world.ts';

const HOUR_MS = 3_600_000;
const WEEK_HOURS = 7 * 24;
/** Accounts asked how active they are in each hour of the week. */
const SAMPLE_ACCOUNTS = 400;

export type Period = { readonly fromMs: number; readonly toMs: number };

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

/** `count` times in rising order within the period, epoch milliseconds. */
export function* arrivals(
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
