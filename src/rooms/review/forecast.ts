/**
 * The waiting cases that will miss their deadlines. Officers take the most urgent priority first, and within a priority the case
 * that is due first; cases that arrive meanwhile at more urgent priorities delay a case.
 */
import type { Status } from './status.ts';

export type Waiting = {
  readonly priority: number;
  /** Time left; negative where the deadline has passed. */
  readonly leftSeconds: number;
};

export type Pace = {
  readonly officers: number;
  /** Time that one review takes one officer. */
  readonly handlingSeconds: number;
  /** Arrivals an hour, by priority. */
  readonly arrivalsPerHour: ReadonlyMap<number, number>;
};

/** `missed` counts deadlines that have passed, `will_miss` further ones that will pass before the case is decided. */
type Forecast = Omit<Status['forecast'][number], 'priority'> & { readonly priority: number };

const HOUR_SECONDS = 3600;

/** By priority, the most urgent first. */
export function forecastBreaches(cases: readonly Waiting[], pace: Pace): Forecast[] {
  const perSecond = pace.officers / pace.handlingSeconds;
  const byPriority = Map.groupBy(cases, ({ priority }) => priority);
  const forecasts: Forecast[] = [];
  let ahead = 0;
  for (const priority of [...byPriority.keys()].sort((left, right) => left - right)) {
    const waiting = (byPriority.get(priority) ?? []).map(({ leftSeconds }) => leftSeconds);
    waiting.sort((left, right) => left - right);
    const free = perSecond - moreUrgent(pace, priority) / HOUR_SECONDS;
    const doneAfter = (nth: number) =>
      free <= 0 ? Number.POSITIVE_INFINITY : (ahead + nth) / free;
    const missed = waiting.filter((left) => left < 0).length;
    const late = waiting.filter((left, at) => left >= 0 && doneAfter(at + 1) > left).length;
    const empty = doneAfter(waiting.length);
    forecasts.push({
      priority,
      waiting: waiting.length,
      missed,
      will_miss: late,
      empty_seconds: Number.isFinite(empty) ? Math.round(empty) : null,
    });
    ahead += waiting.length;
  }
  return forecasts;
}

/** Arrivals an hour that are taken before a case of this priority. */
function moreUrgent({ arrivalsPerHour }: Pace, priority: number): number {
  let sum = 0;
  for (const [other, perHour] of arrivalsPerHour) if (other < priority) sum += perHour;
  return sum;
}
