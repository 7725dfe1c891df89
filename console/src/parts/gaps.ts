/** Times of plots of moments: the span that is drawn, and gaps of what could not be measured. */

/** Moments are up to 15 s apart; one that is missing leaves more than this. */
const GAP_SECONDS = 20;

/** @returns the values, without the first after each gap, so that no line leads across */
export function withGaps(
  times: readonly number[],
  values: readonly (number | null)[],
): (number | null)[] {
  return values.map((value, at) => {
    const before = times[at - 1] ?? Number.POSITIVE_INFINITY;
    return (times[at] ?? 0) - before > GAP_SECONDS ? null : value;
  });
}

/** Span of a plot of moments, so that few points do not stretch over the hour of the title. */
const HOUR_SECONDS = 3600;

/** The hour up to the newest moment, also of a single one. */
export function lastHour(times: ArrayLike<number>): [from: number, to: number] {
  const last = times[times.length - 1] ?? Date.now() / 1000;
  return [last - HOUR_SECONDS, last];
}
