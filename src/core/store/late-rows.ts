/** How far back rows lie that were created long before they were stored: each commit of late rows says so, and readers look so far. */

/** A row that was created so long before its statement began, or longer, is late. */
const LATE_SECONDS = 2;
/** Ids of database transactions share buckets of 2^13: fewer have more rows, more make readers look back for longer. */
const BUCKET_BITS = 13;

/**
 * Says how far back rows of this statement's commit lie, where `from` is late and nobody has said so for a day: a row lives a day
 * longer than the snapshots that it is for.
 */
export const noteLateRows = (from: string, condition: string) => `
  insert into market.late_rows (bucket, from_at)
  select bucket, ${from} from (select pg_current_xact_id()::text::bigint >> ${BUCKET_BITS} as bucket) own
   where ${from} < now() - interval '${LATE_SECONDS} seconds' and ${condition}
     and not exists (select from market.late_rows l
                      where l.bucket = own.bucket and l.from_at <= ${from} and l.stored_at > now() - interval '1 day')`;

/** SQL of a time before which no row was created that was stored by database transactions from the `folded_to` of a snapshot `s` on. */
export const CREATED_SINCE = `least(s.rows_from - interval '${2 * LATE_SECONDS} seconds',
  (select min(l.from_at) from market.late_rows l where l.bucket >= s.folded_to::text::bigint >> ${BUCKET_BITS}))`;
/** The same for database transactions from an id on; rows may be of any time where no snapshot is older. */
export const createdFrom = (
  xid: string,
) => `coalesce((select ${CREATED_SINCE} from market.profile_snapshots s
  where s.folded_to <= ${xid} order by s.folded_to desc limit 1), '-infinity')`;
