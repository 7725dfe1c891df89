/**
 * A version of the figures of some days: how many increments these days were ever given. A statement that changes a figure
 * adds increments; merging them changes none of the two.
 */
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { DAY_MS } from '../../../kit/words/utc-bucket.ts';
import { INCREMENTS_READ_MAX } from './day-tallies.ts';

/** Version of the days from `$first` to `$last`, in the snapshot that has read `fresh`; null where `fresh` is not all there is. */
export const versionOfDays = (first: string, last: string, freshMax: string) => `
  case when (select count(*) from fresh) <= ${freshMax} then
    ((select coalesce(sum(increments), 0) from market.tally_days
       where day >= date '1970-01-01' + ${first} and day <= date '1970-01-01' + ${last})
     + (select count(*) from fresh where day >= date '1970-01-01' + ${first} and day <= date '1970-01-01' + ${last}))::text end`;

const readVersion: Statement = {
  name: 'read-version-of-days',
  text: `with fresh as materialized (select day from market.daily_increments limit $3::int4 + 1)
         select ${versionOfDays('$1::int4', '$2::int4', '$3')} as version`,
};

/** @param firstMs start of the first UTC day; `lastMs` of the last one */
export async function readDaysVersion(
  { query }: { readonly query: Query },
  firstMs: number,
  lastMs: number,
): Promise<string | undefined> {
  const [row] = await query<{ version: string | null }>(readVersion, [
    ...[firstMs / DAY_MS, lastMs / DAY_MS, INCREMENTS_READ_MAX],
  ]);
  return row?.version ?? undefined;
}
