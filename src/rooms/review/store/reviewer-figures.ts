/** What one reviewer has decided since a time. */
import type { Database, Statement } from '../../../kit/database/pool.ts';

// Decisions that stand: final ones, and those that are still to be confirmed or can be undone. The index of final_at bounds the
// first part, as no decision is final before it is made; the second is of the open queue. Undoings are among the newest
// changes of the person, of which $3 are looked at. A ring claims and decides its cases at one moment, so they do not say how long
// a review takes.
const reviewerStatement: Statement = {
  name: 'measure-reviewer',
  text: `
    with decided as (
      select disposition, decided_at, claimed_at, due_at from market.final_decisions
       where final_at >= $2 and decided_by = $1 and decided_at >= $2
       union all
      select disposition, decided_at, claimed_at, due_at from market.review_cases
       where state in ('confirming', 'decided') and decided_by = $1 and decided_at >= $2)
    select (count(*) filter (where disposition = 'fraud'))::int4 as fraud,
           (count(*) filter (where disposition = 'legitimate'))::int4 as legitimate,
           (count(*) filter (where disposition = 'unsure'))::int4 as unsure,
           (count(*) filter (where decided_at <= due_at))::int4 as "inTime",
           (percentile_cont(0.5) within group (order by extract(epoch from decided_at - claimed_at))
             filter (where decided_at > claimed_at))::float8 as "medianSeconds",
           (count(*) filter (where decided_at > claimed_at))::int4 as handled,
           (select count(*)::int4
              from (select action, changed_at from market.audit_log where who = $1 order by audit_id desc limit $3) newest
             where action = 'case.undo' and changed_at >= $2) as undone
      from decided`,
};

export type ReviewerFigures = {
  readonly fraud: number;
  readonly legitimate: number;
  readonly unsure: number;
  /** Decided before the deadline. */
  readonly inTime: number;
  /** Median from claim to decision; null where no case was claimed and then decided. */
  readonly medianSeconds: number | null;
  /** Cases of which it is the median. */
  readonly handled: number;
  readonly undone: number;
};

/** @param changesMax newest changes of the person among which undoings are counted */
export async function measureReviewer(
  { query }: Pick<Database, 'query'>,
  name: string,
  since: Date,
  changesMax: number,
): Promise<ReviewerFigures> {
  const [row] = await query<ReviewerFigures>(reviewerStatement, [name, since, changesMax]);
  if (row === undefined) throw new Error('an aggregate has one row');
  return row;
}
