/** What events are made from besides scores: the position in final decisions, and cases whose deadline is near. */
import type { Verdict } from '../../../core/domain/score-record.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';

const lockStatement: Statement = {
  name: 'lock-webhook-position',
  text: 'select decision_id as "decisionId" from market.webhook_position for update',
};
const moveStatement: Statement = {
  name: 'move-webhook-position',
  text: 'update market.webhook_position set decision_id = $1',
};

/** Final decisions up to this id have their deliveries. */
export async function lockPosition(query: Query): Promise<string> {
  const [row] = await query<{ decisionId: string }>(lockStatement);
  if (row === undefined) throw new Error('webhook_position has lost its row');
  return row.decisionId;
}

export async function movePosition(query: Query, decisionId: string): Promise<void> {
  await query(moveStatement, [decisionId]);
}

const nearStatement: Statement = {
  name: 'list-cases-near-deadline',
  text: `select c.transaction_id as "transactionId", c.corridor, c.account_id as "accountId", c.merchant_id as "merchantId",
                c.score, c.verdict, c.priority, c.state, c.due_at as "dueAt", c.opened_at as "openedAt", c.assignee,
                case when c.locked_until > now() then c.locked_by end as "lockedBy", now() as "at"
           from market.review_cases c
          where c.state in ('open', 'confirming') and c.due_at <= now() + $1::int4 * interval '1 minute'
            and c.due_at > now() - $2::int4 * interval '1 hour'
          order by c.due_at, c.transaction_id limit $3`,
};

export type NearCase = {
  readonly transactionId: string;
  readonly corridor: string;
  readonly accountId: string;
  readonly merchantId: string;
  readonly score: number | null;
  readonly verdict: Verdict | null;
  readonly priority: number;
  readonly state: string;
  readonly dueAt: Date;
  readonly openedAt: Date;
  readonly assignee: string | null;
  readonly lockedBy: string | null;
  /** Postgres' clock. */
  readonly at: Date;
};

/** Cases without a decision whose deadline comes within some minutes, or passed within some hours. */
export async function listNearDeadline(
  query: Query,
  minutes: number,
  hours: number,
  rowsMax: number,
): Promise<NearCase[]> {
  return await query<NearCase>(nearStatement, [minutes, hours, rowsMax]);
}
