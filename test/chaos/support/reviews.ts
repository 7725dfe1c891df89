/**
 * Review cases against what they are made from and what becomes of them: scores, labels, final decisions, and what reviewers
 * were answered.
 */
import type { Sessions } from './streams.ts';

/** A label of a final decision. */
const LABEL_OF = `l.transaction_id = d.transaction_id and l.created_at = d.created_at and l.source = 'review'
                  and l.label = d.disposition and l.labelled_at = greatest(d.decided_at, d.created_at)`;

/** Requires the temporary table `reviewed` of the ledger. */
const COUNTS = `
  select (select count(*)::int from outbox_review) as waiting,
         (select count(*)::int from review_cases where state = 'decided') as "notClosed",
         (select count(*)::int from scores s where s.verdict = 'review'
             and not exists (select from review_cases c where c.transaction_id = s.transaction_id)) as "withoutCase",
         (select count(*)::int from review_cases c where c.source = 'verdict'
             and not exists (select from scores s where s.transaction_id = c.transaction_id and s.verdict = 'review')) as "withoutReason",
         (select count(*)::int from final_decisions d where d.disposition <> 'unsure'
             and 1 <> (select count(*) from labels l where ${LABEL_OF})) as "unlabelled",
         (select count(*)::int from labels l where l.source = 'review'
             and 1 <> (select count(*) from final_decisions d where ${LABEL_OF})) as "undecided",
         (select count(*)::int from final_decisions d
           where not exists (select from review_cases c where c.transaction_id = d.transaction_id and c.state = 'closed'
                                and c.disposition = d.disposition and c.decided_at = d.decided_at)
             and not exists (select from final_decisions later
                              where later.transaction_id = d.transaction_id and later.decision_id > d.decision_id)) as "unclosed",
         (select count(*)::int - count(distinct (transaction_id, decided_at))::int from final_decisions) as "twice",
         (select coalesce(max(decision_id), 0)::int - count(*)::int from final_decisions) as "missing",
         (select count(*)::int from reviewed r
           where not coalesce((select d.disposition from final_decisions d where d.transaction_id = r.transaction_id
                                order by d.decision_id desc limit 1), 'none') = any (r.may)) as "otherwise"`;

export type ReviewCounts = Readonly<
  Record<
    | ('waiting' | 'notClosed' | 'withoutCase' | 'withoutReason' | 'unlabelled' | 'undecided')
    | ('unclosed' | 'twice' | 'missing' | 'otherwise'),
    number
  >
>;

export async function countReviews({ query }: Sessions): Promise<ReviewCounts> {
  const [row] = await query<ReviewCounts>(COUNTS);
  if (row === undefined) throw new Error('one row was expected');
  return row;
}

/** The work that the duties of review still have to do. */
export async function reviewsLeft({ query }: Sessions): Promise<number> {
  const [row] = await query<{ left: number }>(
    `select (select count(*)::int from outbox_review)
              + (select count(*)::int from review_cases where state = 'decided') as left`,
  );
  return row?.left ?? 0;
}
