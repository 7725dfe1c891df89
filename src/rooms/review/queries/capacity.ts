/** `GET /v1/reviews/capacity`: how many officers the reviews take, now and with growth. */
import { z } from 'zod';
import type { Database } from '../../../kit/database/pool.ts';
import { project, staff, utilise } from '../capacity.ts';
import { handlingTime } from '../handling-time.ts';
import { measureHandling, measureLoad } from '../store/figures.ts';
import { readPolicy } from '../store/policies.ts';
import { HOUR_SECONDS, MEASURED_DAYS, share } from './status.ts';

type Queries = Pick<Database, 'query'>;

/** A positive number of the query string. */
const numberParameter = (min: number, max: number) =>
  z
    .string()
    .refine(
      (text) => /^\d+(\.\d+)?$/.test(text) && Number(text) >= min && Number(text) <= max,
      `must be a number from ${min} to ${max}`,
    )
    .transform(Number)
    .meta({ override: { type: 'number', minimum: min, maximum: max } })
    .optional();

const described = (description: string) => ({ description });

/** `GET /v1/reviews/capacity?…`; what is absent is measured, or taken from the policy where nothing was. */
export const capacityParameters = z.strictObject({
  officers: numberParameter(0, 100_000).meta(
    described('People who review; absent: those who decided within 7 days.'),
  ),
  transactions_per_day: numberParameter(0, 1e12).meta(
    described('Absent: the average of the last 7 whole days.'),
  ),
  auto_clear_ratio: numberParameter(0, 1).meta(
    described('Share without a review; absent: as measured.'),
  ),
  reviews_per_hour: numberParameter(0.1, 3600).meta(
    described('Of one officer; absent: by the measured handling time, or as the policy says.'),
  ),
  growth: numberParameter(0, 10).meta(
    described('Growth of the transactions in a month; 0.1 is a tenth. Absent: 0.'),
  ),
});
export type CapacityParameters = z.output<typeof capacityParameters>;

const staffing = {
  reviews_per_day: z.number(),
  officers_min: z.int().meta({ description: 'The fewest who can do the work.' }),
  officers_to_hire: z
    .int()
    .meta({ description: 'As many as keep utilisation at the share to hire to.' }),
};

export const capacitySchema = z
  .object({
    transactions_per_day: z.number(),
    auto_clear_ratio: z.number(),
    officers: z.number(),
    reviews_per_hour: z.number(),
    officer_reviews_per_day: z.number(),
    ...staffing,
    utilisation: z.number().nullable().meta({ description: 'Null: work, and nobody to do it.' }),
    utilisation_max: z.number(),
    utilisation_hired: z.number(),
    hire: z.int().meta({ description: 'Officers to hire now.' }),
    projection: z.array(
      z.object({ month: z.int(), transactions_per_day: z.number(), ...staffing }),
    ),
  })
  .meta({ id: 'ReviewCapacity' });
export type CapacityJson = z.infer<typeof capacitySchema>;

const PROJECTED_MONTHS = 12;

export async function readCapacity(
  database: Queries,
  given: CapacityParameters,
): Promise<CapacityJson> {
  const { capacity } = (await readPolicy(database)).policy;
  const { accepted, cases } = await measureLoad(database, MEASURED_DAYS);
  const handling = await measureHandling(database, MEASURED_DAYS);
  const handlingSeconds = handlingTime(handling);
  const measuredPerHour =
    handlingSeconds === null ? undefined : HOUR_SECONDS / Math.max(handlingSeconds, 1);
  const policy = {
    ...capacity,
    reviews_per_hour: given.reviews_per_hour ?? measuredPerHour ?? capacity.reviews_per_hour,
  };
  const load = {
    transactionsPerDay: given.transactions_per_day ?? accepted / MEASURED_DAYS,
    autoClearRatio:
      given.auto_clear_ratio ?? (accepted === 0 ? 1 : Math.max(0, 1 - cases / accepted)),
  };
  const officers = given.officers ?? handling.officers;
  const now = staff(load, policy);
  const { utilisation, hire } = utilise(load, officers, policy);
  const toJson = (one: typeof now) => ({
    reviews_per_day: share(one.reviewsPerDay),
    officers_min: one.officersMin,
    officers_to_hire: one.officersToHire,
  });
  return {
    transactions_per_day: share(load.transactionsPerDay),
    auto_clear_ratio: share(load.autoClearRatio),
    ...{ officers, reviews_per_hour: share(policy.reviews_per_hour) },
    officer_reviews_per_day: share(now.officerReviewsPerDay),
    ...toJson(now),
    utilisation: Number.isFinite(utilisation) ? share(utilisation) : null,
    utilisation_max: capacity.utilisation_max,
    utilisation_hired: capacity.utilisation_hired,
    hire,
    projection: project(load, given.growth ?? 0, PROJECTED_MONTHS, policy).map((row) => ({
      ...{ month: row.month, transactions_per_day: row.transactionsPerDay, ...toJson(row) },
    })),
  };
}
