/** Probability bounds of verdicts: by what a team can look at, or by the costs of mistakes. */
import { z } from 'zod';
import type { Verdict } from '../../../core/domain/score-record.ts';

/** Lower bounds, inclusive; review <= decline. Above 1 means never. */
export type Bands = { readonly reviewFrom: number; readonly declineFrom: number };

/** Chooses bounds from calibrated probabilities of rows. */
export type ChooseBands = (probabilities: Float64Array) => Bands;

/** How many of the rows may get a verdict, in total. */
type AlertBudget = { readonly reviews: number; readonly declines: number };

const cost = z.number().min(0);
/** Approved; reviewed, where some frauds are missed, and others are work; declined, which loses a customer. */
const costs = z.strictObject({ approve: cost, review: cost, decline: cost });
/** Costs of verdicts, in one currency. */
export const costMatrix = z.strictObject({ fraud: costs, legitimate: costs });
type CostMatrix = z.infer<typeof costMatrix>;

/** The ways in which an operator may choose bands; stored as this JSON on the card. */
export type BandsRule =
  | { readonly by: 'share'; readonly reviews: number; readonly declines: number }
  | { readonly by: 'budget'; readonly reviewsADay: number; readonly declinesADay: number }
  | { readonly by: 'costs'; readonly costs: CostMatrix };

/** Shares of the transactions, which grow and shrink with the traffic. */
export const DEFAULT_BANDS: BandsRule = { by: 'share', reviews: 0.01, declines: 0.002 };

/** A probability above all others. */
const NEVER = 2;

/**
 * @param daysSeen days of traffic that the judged rows stand for: of a window of seven days with a label
 * for every second transaction, 3.5
 */
export function bandsChooser(rule: BandsRule, daysSeen: number): ChooseBands {
  return (probabilities) => {
    if (rule.by === 'costs') return bandsForCosts(rule.costs);
    const [reviews, declines, times] =
      rule.by === 'share'
        ? [rule.reviews, rule.declines, probabilities.length]
        : [rule.reviewsADay, rule.declinesADay, daysSeen];
    return bandsForBudget(probabilities, { reviews: reviews * times, declines: declines * times });
  };
}

/**
 * The lowest bounds that stay within the budget on these rows: never more alerts than the budget, fewer where
 * equal probabilities cannot be split.
 */
export function bandsForBudget(probabilities: Float64Array, budget: AlertBudget): Bands {
  const sorted = probabilities.slice().sort();
  const declineFrom = boundFor(sorted, budget.declines);
  const reviewFrom = boundFor(sorted, budget.declines + budget.reviews);
  return { reviewFrom: Math.min(reviewFrom, declineFrom), declineFrom };
}

/** The lowest probability that at most `count` rows reach; rising input. */
function boundFor(sorted: Float64Array, count: number): number {
  let first = Math.max(0, sorted.length - Math.floor(count));
  while (first > 0 && first < sorted.length && sorted[first - 1] === sorted[first]) first++;
  return sorted[first] ?? NEVER;
}

/**
 * The bounds above which a verdict has the least expected cost: at probability p a verdict costs p * fraud + (1
 * - p) * legitimate.
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
  const even = (mild: Verdict, strict: Verdict) => {
    const more = legitimate[strict] - legitimate[mild];
    return more / (more + fraud[mild] - fraud[strict]);
  };
  const reviewFrom = even('approve', 'review');
  const declineFrom = even('review', 'decline');
  if (reviewFrom <= declineFrom) return { reviewFrom, declineFrom };
  // Review never has the least cost: where it would begin, declining is cheaper already.
  const both = even('approve', 'decline');
  return { reviewFrom: both, declineFrom: both };
}
