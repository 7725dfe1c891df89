/**
 * Postgres' clock, the only one that orders what is received. A commit may come long after its time, so a time alone
 * never proves that no earlier row can appear any more: a moment also says which database transactions may hold one.
 */
import type { Database, Statement } from './pool.ts';

/**
 * The time of a row, read once its database transaction has an id: CASE evaluates in order. now() would be older than the
 * id, by as long as the statement waited for its locks.
 */
export const STAMP =
  'case when pg_current_xact_id() is not null then clock_timestamp()::timestamptz(3) end';

export type Moment = {
  readonly at: Date;
  /** Every row stamped before `at`, and every row committed before this was read, is of a lower id. */
  readonly transactionId: bigint;
  /** Every database transaction of a lower id has ended. */
  readonly openFrom: bigint;
};

type MomentRow = { readonly at: Date; readonly transactionId: string; readonly openFrom: string };

const momentStatement: Statement = {
  name: 'read-moment',
  text: `select now()::timestamptz(3) as at, pg_current_xact_id()::text as "transactionId",
                pg_snapshot_xmin(pg_current_snapshot())::text as "openFrom"`,
};

export async function readMoment({ query }: Pick<Database, 'query'>): Promise<Moment> {
  const [row] = await query<MomentRow>(momentStatement);
  if (row === undefined) throw new Error('a select without a table has one row');
  const { at, transactionId, openFrom } = row;
  return { at, transactionId: BigInt(transactionId), openFrom: BigInt(openFrom) };
}
