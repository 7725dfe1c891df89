/** The rank-th smallest of a few numbers, by Hoare's selection: less work than sorting them. */

/**
 * Reorders the first `count` values (numbers, no NaN).
 * @param rank 1 is the least, at most `count`
 * @param known a lower rank that was selected just before: what stands before it is left alone
 */
export function selectRank(values: Float64Array, count: number, rank: number, known = 1): number {
  const wanted = rank - 1;
  let left = known - 1;
  let right = count - 1;
  while (left < right) {
    const split = partition(values, left, right);
    if (wanted <= split) right = split;
    else left = split + 1;
  }
  return values[wanted] ?? Number.NaN;
}

/** Invariant afterwards: no value in [left, split] exceeds one in (split, right]. */
function partition(values: Float64Array, left: number, right: number): number {
  const pivot = values[(left + right) >> 1] ?? 0;
  let low = left - 1;
  let high = right + 1;
  for (;;) {
    do low++;
    while ((values[low] ?? 0) < pivot);
    do high--;
    while ((values[high] ?? 0) > pivot);
    if (low >= high) return high;
    const swapped = values[low] ?? 0;
    values[low] = values[high] ?? 0;
    values[high] = swapped;
  }
}
