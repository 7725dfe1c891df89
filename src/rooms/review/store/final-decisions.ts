/**
 * What people decided about transactions, once nobody can undo it. A decision is stored by the database transaction that
 * closes its case and adds its label, one worker at a time, so ids have the order of commits: a reader that knows one id has
 * all up to it.
 */
import type { Disposition } from '../../../core/domain/disposition.ts';
import type { Verdict } from '../../../core/domain/score-record.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import type { StoredCase } from '../review-case.ts';
import type { CaseSource } from '../review-policy.ts';
import { CASE_COLUMNS } from './review-cases.ts';

const lockStatement: Statement = {
  name: 'lock-decided-cases',
  text: `select ${CASE_COLUMNS}, (select k.client from market.api_keys k where k.key_id = c.decided_by_key) as client,
                (select k.identity from market.api_keys k where k.key_id = c.decided_by_key) as identity
           from market.review_cases c
          where c.state = 'decided' and c.final_at <= now()
          order by c.final_at limit $1 for update of c skip locked`,
};

/** A case whose decision is final, with the key that decided. */
export type DecidedCase = StoredCase & {
  readonly client: string | null;
  readonly identity: string | null;
};

export async function lockDecided(query: Query, rowsMax: number): Promise<DecidedCase[]> {
  return await query<DecidedCase>(lockStatement, [rowsMax]);
}

/** `none`: an unsure decision; `month_detached`: the month of the transaction takes none. */
export type LabelOutcome = 'posted' | 'none' | 'month_detached';

const insertStatement: Statement = {
  name: 'insert-final-decisions',
  text: `
    with closed as (
      update market.review_cases c set state = 'closed', closed_at = now()
        from unnest($1::uuid[], $2::text[]) with ordinality as n (transaction_id, label, nth)
       where c.transaction_id = n.transaction_id
      returning c.*, n.label, n.nth)
    insert into market.final_decisions (decision_id, transaction_id, created_at, account_id, merchant_id, corridor, score, verdict,
             source, priority, disposition, reason, decided_by, decided_at, confirmed_by, label, opened_at, claimed_at, due_at)
    select (select coalesce(max(decision_id), 0) from market.final_decisions) + nth, transaction_id, created_at, account_id,
           merchant_id, corridor, score, verdict, source, priority, disposition, decision_reason, decided_by, decided_at,
           confirmed_by, label, opened_at, claimed_at, due_at
      from closed`,
};

/** Closes cases and stores their decisions. @param query of the database transaction that locked the cases */
export async function closeCases(
  query: Query,
  cases: readonly { readonly transactionId: string; readonly label: LabelOutcome }[],
): Promise<void> {
  await query(insertStatement, [
    cases.map(({ transactionId }) => transactionId),
    cases.map(({ label }) => label),
  ]);
}

export type FinalDecision = {
  /** Ascends in the order of commits. */
  readonly decisionId: string;
  readonly transactionId: string;
  readonly createdAt: Date;
  readonly accountId: string;
  readonly merchantId: string;
  readonly corridor: string;
  readonly score: number | null;
  readonly verdict: Verdict | null;
  readonly source: CaseSource;
  readonly priority: number;
  readonly disposition: Disposition;
  readonly reason: string;
  readonly decidedBy: string;
  readonly decidedAt: Date;
  readonly confirmedBy: string | null;
  readonly label: LabelOutcome;
  readonly finalAt: Date;
};

const COLUMNS = `decision_id as "decisionId", transaction_id as "transactionId", created_at as "createdAt",
  account_id as "accountId", merchant_id as "merchantId", corridor, score, verdict, source, priority, disposition, reason,
  decided_by as "decidedBy", decided_at as "decidedAt", confirmed_by as "confirmedBy", label, final_at as "finalAt"`;

const listStatement: Statement = {
  name: 'list-final-decisions',
  text: `select ${COLUMNS} from market.final_decisions where decision_id > $1 order by decision_id limit $2`,
};

/** A page of decisions after an id, oldest first. */
export async function listDecisions(
  { query }: Pick<Database, 'query'>,
  afterId: string,
  limit: number,
): Promise<FinalDecision[]> {
  return await query<FinalDecision>(listStatement, [afterId, limit]);
}

const ofTransactionStatement: Statement = {
  name: 'list-decisions-of-transaction',
  text: `select ${COLUMNS} from market.final_decisions where transaction_id = $1 order by decision_id desc limit $2`,
};

/** The decisions about a transaction, the one that stands first. */
export async function listDecisionsOf(
  { query }: Pick<Database, 'query'>,
  transactionId: string,
  limit: number,
): Promise<FinalDecision[]> {
  return await query<FinalDecision>(ofTransactionStatement, [transactionId, limit]);
}

const firstStatement: Statement = {
  name: 'find-first-decision',
  text: `select coalesce(min(decision_id) - 1, (select max(decision_id) from market.final_decisions), 0)::text as "afterId" from (
           select decision_id from market.final_decisions where final_at >= now() - $1::integer * interval '1 day'
            order by final_at limit 1000) first`,
};

/** The id before the decisions of the last days: the newest id where there are none, "0" where there never was one. */
export async function findDecisionBefore(
  { query }: Pick<Database, 'query'>,
  days: number,
): Promise<string> {
  return (await query<{ afterId: string }>(firstStatement, [days]))[0]?.afterId ?? '0';
}
