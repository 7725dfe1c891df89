/** How many officers the reviews of a day need, and what growth asks for. All figures are given: measured ones, or a policy's. */
import type { CapacityPolicy } from './policy.ts';

export type Load = {
  readonly transactionsPerDay: number;
  /** Share of the transactions that nobody reviews. */
  readonly autoClearRatio: number;
};

export type Staffing = {
  readonly reviewsPerDay: number;
  /** Reviews of one officer on a day without a pause. */
  readonly officerReviewsPerDay: number;
  /** The fewest who can do the work at all. */
  readonly officersMin: number;
  /** As many as keep utilisation at the share to hire to. */
  readonly officersToHire: number;
};

/** Rounds away what doubles add: 1500 / 160 / 0.8 must not ask for one officer more. */
const ceiling = (value: number) => Math.ceil(value - 1e-9);

export function staff(
  { transactionsPerDay, autoClearRatio }: Load,
  policy: CapacityPolicy,
): Staffing {
  const reviewsPerDay = transactionsPerDay * (1 - autoClearRatio);
  const officerReviewsPerDay = policy.reviews_per_hour * policy.hours_per_day;
  return {
    ...{ reviewsPerDay, officerReviewsPerDay },
    officersMin: ceiling(reviewsPerDay / officerReviewsPerDay),
    officersToHire: ceiling(reviewsPerDay / officerReviewsPerDay / policy.utilisation_hired),
  };
}

export type Utilisation = {
  /** Work by what the officers can do; above 1 the queue grows. Infinity without officers. */
  readonly utilisation: number;
  /** Officers to hire now: none up to the greatest utilisation allowed, then as many as lead to the share to hire to. */
  readonly hire: number;
};

export function utilise(load: Load, officers: number, policy: CapacityPolicy): Utilisation {
  const { reviewsPerDay, officerReviewsPerDay, officersToHire } = staff(load, policy);
  const utilisation = reviewsPerDay === 0 ? 0 : reviewsPerDay / (officers * officerReviewsPerDay);
  const hire = utilisation > policy.utilisation_max ? Math.max(0, officersToHire - officers) : 0;
  return { utilisation, hire };
}

export type Projected = Staffing & { readonly month: number; readonly transactionsPerDay: number };

/** @param growth of the transactions in a month: 0.1 is a tenth more */
export function project(
  load: Load,
  growth: number,
  months: number,
  policy: CapacityPolicy,
): Projected[] {
  return Array.from({ length: months + 1 }, (_, month) => {
    const transactionsPerDay = Math.round(load.transactionsPerDay * (1 + growth) ** month);
    return { month, transactionsPerDay, ...staff({ ...load, transactionsPerDay }, policy) };
  });
}
