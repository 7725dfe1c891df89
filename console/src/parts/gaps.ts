/** Gaps in plots of moments: what could not be measured. */

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
