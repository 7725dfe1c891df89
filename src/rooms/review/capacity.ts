/** How many officers the reviews of a day need, now and with growth, from measured figures or those of a policy. */
import { z } from 'zod';
import { CASE_LIMITS } from './case.ts';
import type { CapacityPolicy } from './policy.ts';

/**
 * Greatest figures that a question may give: 12 months of doubling, a tenth of a review an hour and the least utilisation then
 * ask for 4e15 officers. Larger: officers and transactions of the projection are no exact integers.
 */
export const CAPACITY_MAX = {
  officers: 100_000,
  transactionsPerDay: 10_000_000_000,
  /** A month: 1 doubles. */
  growth: 1,
} as const;

const staffing = {
  reviews_per_day: z.number(),
  officers_min: z.int().meta({ description: 'The fewest who can do the work.' }),
  officers_to_hire: z
    .int()
    .meta({ description: 'As many as keep utilisation at the share to hire to.' }),
};

/** Figures that are measured where a request does not give them. */
export const MEASURED = [
  'transactions_per_day',
  'auto_clear_ratio',
  'officers',
  'reviews_per_hour',
] as const;
export type Measured = (typeof MEASURED)[number];

export const capacitySchema = z
  .object({
    unknown: z.array(z.enum(MEASURED)).meta({
      description: `Figures that are neither given nor known from at least ${CASE_LIMITS.handledMin} cases or decisions; of \`reviews_per_hour\`, from decisions of at least ${CASE_LIMITS.handledMinutesMin} minutes: that of the policy counts.`,
    }),
    transactions_per_day: z.number(),
    auto_clear_ratio: z.number(),
    officers: z.int(),
    reviews_per_hour: z.number(),
    officer_reviews_per_day: z.number(),
    ...staffing,
    utilisation: z.number().nullable().meta({ description: 'Null: work, and nobody to do it.' }),
    utilisation_max: z.number(),
    utilisation_hired: z.number(),
    hire: z.int().nullable().meta({
      description:
        'Officers to hire now. Null: the transactions, the share without a review or the officers are `unknown`.',
    }),
    projection: z.array(
      z.object({ month: z.int(), transactions_per_day: z.number(), ...staffing }),
    ),
  })
  .meta({ id: 'ReviewCapacity' });
export type Capacity = z.infer<typeof capacitySchema>;

export type Load = {
  readonly transactionsPerDay: number;
  /** Share of the transactions that nobody reviews. */
  readonly autoClearRatio: number;
  readonly officers: number;
  /** Growth of the transactions in a month: 0.1 is a tenth more. */
  readonly growth: number;
};

const PROJECTED_MONTHS = 12;

/** Rounds away what doubles add: 1500 / 160 / 0.8 must not ask for one officer more. */
const ceiling = (value: number) => Math.ceil(value - 1e-9);
export const rounded = (value: number) => Math.round(value * 10_000) / 10_000;

/** @param unknown figures of the load that nothing tells */
export function planCapacity(
  load: Load,
  policy: CapacityPolicy,
  unknown: readonly Measured[] = [],
): Capacity {
  const { transactionsPerDay, autoClearRatio, officers, growth } = load;
  const { reviews_per_hour, utilisation_max, utilisation_hired } = policy;
  // Reviews of one officer on a day without a pause.
  const officerReviews = reviews_per_hour * policy.hours_per_day;
  const staff = (transactions: number) => {
    const reviews = transactions * (1 - autoClearRatio);
    return {
      reviews_per_day: rounded(reviews),
      officers_min: ceiling(reviews / officerReviews),
      officers_to_hire: ceiling(reviews / officerReviews / utilisation_hired),
    };
  };
  const now = staff(transactionsPerDay);
  const reviews = transactionsPerDay * (1 - autoClearRatio);
  // Above 1 the queue grows; Infinity without officers.
  const utilisation = reviews === 0 ? 0 : reviews / (officers * officerReviews);
  const hire = utilisation > utilisation_max ? Math.max(0, now.officers_to_hire - officers) : 0;
  return {
    unknown: [...unknown],
    transactions_per_day: rounded(transactionsPerDay),
    auto_clear_ratio: rounded(autoClearRatio),
    officers,
    reviews_per_hour: rounded(reviews_per_hour),
    officer_reviews_per_day: rounded(officerReviews),
    ...now,
    utilisation: Number.isFinite(utilisation) ? rounded(utilisation) : null,
    utilisation_max,
    utilisation_hired,
    // Nobody is hired up to utilisation_max; beyond it, utilisation falls to utilisation_hired.
    hire: unknown.some((name) => name !== 'reviews_per_hour') ? null : hire,
    projection: Array.from({ length: PROJECTED_MONTHS + 1 }, (_, month) => {
      const transactions_per_day = Math.round(transactionsPerDay * (1 + growth) ** month);
      return { month, transactions_per_day, ...staff(transactions_per_day) };
    }),
  };
}
