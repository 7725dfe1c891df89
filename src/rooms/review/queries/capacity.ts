/** `GET /v1/reviews/capacity`: how many officers the reviews take, now and with growth. */
import { z } from 'zod';
import type { Query } from '../../../kit/database/pool.ts';
import { CAPACITY_MAX, type Capacity, MEASURED, type Measured, planCapacity } from '../capacity.ts';
import { CASE_LIMITS } from '../case.ts';
import { type CapacityPolicy, REVIEWS_PER_HOUR } from '../policy.ts';
import { measureHandling, measureLoad } from '../store/figures.ts';
import { readPolicy } from '../store/policies.ts';

/** Days whose figures are measured. */
export const MEASURED_DAYS = 7;
const HOUR_SECONDS = 3600;

const NUMBERS = {
  integer: { form: /^\d+$/, words: 'a whole number' },
  number: { form: /^\d+(\.\d+)?$/, words: 'a number' },
} as const;

/** A number of the query string that is not negative. */
const parameter = (
  type: keyof typeof NUMBERS,
  [min, max]: readonly [number, number],
  description: string,
) => {
  const { form, words } = NUMBERS[type];
  return z
    .string()
    .refine(
      (text) => form.test(text) && Number(text) >= min && Number(text) <= max,
      `must be ${words} from ${min} to ${max}`,
    )
    .transform(Number)
    .meta({ override: { type, minimum: min, maximum: max } })
    .optional()
    .meta({ description });
};

/** `GET /v1/reviews/capacity?…`; what is absent is measured, or taken from the policy where nothing was. */
export const capacityParameters = z.strictObject({
  officers: parameter(
    'integer',
    [0, CAPACITY_MAX.officers],
    'People who review; absent: those who decided within 7 days.',
  ),
  transactions_per_day: parameter(
    'number',
    [0, CAPACITY_MAX.transactionsPerDay],
    'Absent: the average of the last 7 whole days.',
  ),
  auto_clear_ratio: parameter('number', [0, 1], 'Share without a review; absent: as measured.'),
  reviews_per_hour: parameter(
    'number',
    [REVIEWS_PER_HOUR.min, REVIEWS_PER_HOUR.max],
    'Of one officer; absent: by the measured handling time, or as the policy says.',
  ),
  growth: parameter(
    'number',
    [0, CAPACITY_MAX.growth],
    'Growth of the transactions in a month; 0.1 is a tenth. Absent: 0.',
  ),
});
export type CapacityParameters = z.output<typeof capacityParameters>;

export async function readCapacity(query: Query, given: CapacityParameters): Promise<Capacity> {
  const { capacity } = (await readPolicy(query)).policy;
  const { accepted, cases } = await measureLoad(query, MEASURED_DAYS);
  const handling = await measureHandling(query, MEASURED_DAYS);
  const measuredRatio = accepted === 0 ? 1 : Math.max(0, 1 - cases / accepted);
  const load = {
    transactionsPerDay: given.transactions_per_day ?? accepted / MEASURED_DAYS,
    autoClearRatio: given.auto_clear_ratio ?? measuredRatio,
    officers: given.officers ?? handling.officers,
    growth: given.growth ?? 0,
  };
  const reviews_per_hour = given.reviews_per_hour ?? paceOf(handling, capacity);
  const isKnown: Readonly<Record<Measured, boolean>> = {
    transactions_per_day: accepted > 0,
    auto_clear_ratio: cases >= CASE_LIMITS.handledMin,
    officers: handling.decided >= CASE_LIMITS.handledMin,
    reviews_per_hour: handling.handling_seconds !== null,
  };
  const unknown = MEASURED.filter((name) => given[name] === undefined && !isKnown[name]);
  return planCapacity(load, { ...capacity, reviews_per_hour }, unknown);
}

/** Reviews of one officer an hour: as measured, or as the policy says where too few tell. */
export const paceOf = (
  { handling_seconds: seconds }: { readonly handling_seconds: number | null },
  policy: CapacityPolicy,
) => {
  if (seconds === null) return policy.reviews_per_hour;
  const { min, max } = REVIEWS_PER_HOUR;
  return Math.min(max, Math.max(min, HOUR_SECONDS / seconds));
};
