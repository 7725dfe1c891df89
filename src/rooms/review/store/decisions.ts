/**
 * Final decisions about transactions. The database transaction that closes a case and adds its label stores the decision, one
 * worker at a time, so ids have the order of commits and a reader goes on behind the last id without missing a decision.
 */
import { rowsOf, timeColumns } from '../../../kit/database/statement.ts';
import type { FinalDecision, LabelOutcome } from '../final-decision.ts';

/** Columns that a decision has of its case. */
const OF_CASE = `transaction_id, created_at, account_id, merchant_id, corridor, score, verdict, source, priority, disposition,
             decided_by, decided_at, confirmed_by, opened_at, claimed_at, due_at`;

const COLUMNS = `d.decision_id, d.transaction_id, ${timeColumns('d', 'created_at')}, d.account_id, d.merchant_id, d.corridor,
  d.score, d.verdict, d.source, 'P' || d.priority as priority, d.disposition, d.reason, d.decided_by,
  ${timeColumns('d', 'decided_at')}, d.confirmed_by, d.label, ${timeColumns('d', 'final_at')}`;

/** Closes cases, which the database transaction has locked, and stores their decisions. */
export const closeCases = rowsOf<
  FinalDecision,
  [ids: readonly string[], labels: readonly LabelOutcome[]]
>(
  'insert-final-decisions',
  `
    with closed as (
      update market.review_cases c set state = 'closed', closed_at = now()
        from unnest($1::uuid[], $2::text[]) with ordinality as n (id, label, nth)
       where c.transaction_id = n.id
      returning c.*, n.label, n.nth), d as (
    insert into market.final_decisions (decision_id, reason, label, ${OF_CASE})
    select (select coalesce(max(decision_id), 0) from market.final_decisions) + nth, decision_reason, label, ${OF_CASE}
      from closed
    returning *)
    select ${COLUMNS} from d order by d.decision_id`,
);

const SELECT = `select ${COLUMNS} from market.final_decisions d`;

/** A page of decisions after an id, oldest first. */
export const listDecisions = rowsOf<FinalDecision, [afterId: string, rowsMax: number]>(
  'list-final-decisions',
  `${SELECT} where d.decision_id > $1 order by d.decision_id limit $2`,
);

/** The decisions about a transaction, the one that stands first. */
export const listDecisionsOf = rowsOf<FinalDecision, [transactionId: string, rowsMax: number]>(
  'list-decisions-of-transaction',
  `${SELECT} where d.transaction_id = $1 order by d.decision_id desc limit $2`,
);
