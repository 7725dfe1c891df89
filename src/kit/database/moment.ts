/** Postgres' clock, the only one that orders what is received. */

/**
 * The time of a row, read once its database transaction has an id: CASE evaluates in order. now() would be older than the
 * id, by as long as the statement waited for its locks.
 */
export const STAMP =
  'case when pg_current_xact_id() is not null then clock_timestamp()::timestamptz(3) end';
