/** Records how far back late rows were created: each commit of late rows says so, and readers look back as far. */

/** Seconds between the creation of a row and its statement from which on the row is late. */
const LATE_SECONDS = 2;
/** Ids of database transactions share buckets of 2^13. Fewer bits: the table has more rows; more: readers look back further. */
const BUCKET_BITS = 13;

/**
 * Notes how far back rows of this statement's commit lie, where `from` is late and no row has said so for a day. A row lives a day longer
 * than the snapshots that need the row.
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
