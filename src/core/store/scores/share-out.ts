/**
 * Whole shares of a total in proportion to weights, none above its maximum. What exceeds one maximum goes to
 * the following shares, so that the total is reached wherever `most` allows it in order.
 */
export function shareOut(
  total: number,
  weights: readonly number[],
  most: readonly number[] = weights,
): number[] {
  const all = weights.reduce((sum, weight) => sum + weight, 0);
  let seen = 0;
  let given = 0;
  return weights.map((weight, at) => {
    seen += weight;
    const share = Math.min(most[at] ?? 0, Math.floor((total * seen) / Math.max(all, 1)) - given);
    given += share;
    return share;
  });
}
