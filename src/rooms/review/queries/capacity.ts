/** `GET /v1/reviews/capacity`: how many officers the reviews take, now and with growth. */
import { z } from 'zod';
import type { Query } from '../../../kit/database/pool.ts';
import { type Capacity, MEASURED, type Measured, planCapacity } from '../capacity.ts';
import { CASE_LIMITS } from '../case.ts';
import type { CapacityPolicy } from '../policy.ts';
import { measureHandling, measureLoad } from '../store/figures.ts';
import { readPolicy } from '../store/policies.ts';

/** Days whose figures are measured. */
export const MEASURED_DAYS = 7;
const HOUR_SECONDS = 3600;

/** A positive number of the query string. */
const numberParameter = (min: number, max: number, description: string) =>
  z
    .string()
    .refine(
      (text) => /^\d+(\.\d+)?$/.test(text) && Number(text) >= min && Number(text) <= max,
      `must be a number from ${min} to ${max}`,
    )
    .transform(Number)
    .meta({ override: { type: 'number', minimum: min, maximum: max } })
    .optional()
    .meta({ description });

/** `GET /v1/reviews/capacity?…`; what is absent is measured, or taken from the policy where nothing was. */
export const capacityParameters = z.strictObject({
  officers: numberParameter(
    0,
    100_000,
    'People who review; absent: those who decided within 7 days.',
  ),
  transactions_per_day: numberParameter(0, 1e12, 'Absent: the average of the last 7 whole days.'),
  auto_clear_ratio: numberParameter(0, 1, 'Share without a review; absent: as measured.'),
  reviews_per_hour: numberParameter(
    0.1,
    3600,
    'Of one officer; absent: by the measured handling time, or as the policy says.',
  ),
  growth: numberParameter(
    0,
    10,
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
) => (seconds === null ? policy.reviews_per_hour : HOUR_SECONDS / Math.max(seconds, 1));
