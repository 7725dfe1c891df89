/** From which probability on a verdict pays: by what a team can look at, or by what mistakes cost. */

/** Lower bounds, inclusive; review <= decline. Above 1 means never. */
export type Bands = { readonly reviewFrom: number; readonly declineFrom: number };

/** How many of the rows may get a verdict, in total. */
export type AlertBudget = { readonly reviews: number; readonly declines: number };

/** What a verdict costs, in one currency. */
export type CostMatrix = {
  /** Of fraud that is approved, reviewed (some is missed), declined. */
  readonly fraud: VerdictCosts;
  /** Of legitimate transactions that are approved, reviewed (the work), declined (the lost customer). */
  readonly legitimate: VerdictCosts;
};
type VerdictCosts = { readonly approve: number; readonly review: number; readonly decline: number };

/** A probability that nothing reaches. */
const NEVER = 2;

/**
 * The lowest bounds that stay within the budget on these rows: never more alerts than asked for, fewer
 * where equal probabilities cannot be parted.
 */
export function bandsForBudget(probabilities: Float64Array, budget: AlertBudget): Bands {
  const sorted = probabilities.slice().sort();
  const declineFrom = boundFor(sorted, budget.declines);
  const reviewFrom = boundFor(sorted, budget.declines + budget.reviews);
  return { reviewFrom: Math.min(reviewFrom, declineFrom), declineFrom };
}

/** The lowest probability from which on at most `count` rows are; rising input. */
function boundFor(sorted: Float64Array, count: number): number {
  let first = Math.max(0, sorted.length - Math.floor(count));
  while (first > 0 && first < sorted.length && sorted[first - 1] === sorted[first]) first++;
  return sorted[first] ?? NEVER;
}

/**
 * The bounds from which on a verdict is expected to cost least: at probability p a verdict costs
 * p * fraud + (1 - p) * legitimate.
 * @throws Error unless a stricter verdict costs less on fraud and more on legitimate transactions
 */
export function bandsForCosts({ fraud, legitimate }: CostMatrix): Bands {
  const falls = fraud.approve > fraud.review && fraud.review > fraud.decline;
  const rises = legitimate.approve < legitimate.review && legitimate.review < legitimate.decline;
  if (!falls || !rises) {
    throw new Error(
      'a stricter verdict must cost less on fraud and more on legitimate transactions',
    );
  }
  const even = (mild: keyof VerdictCosts, strict: keyof VerdictCosts) => {
    const more = legitimate[strict] - legitimate[mild];
    return more / (more + fraud[mild] - fraud[strict]);
  };
  const reviewFrom = even('approve', 'review');
  const declineFrom = even('review', 'decline');
  if (reviewFrom <= declineFrom) return { reviewFrom, declineFrom };
  // Review never pays: it would begin where declining is cheaper already.
  const both = even('approve', 'decline');
  return { reviewFrom: both, declineFrom: both };
}
