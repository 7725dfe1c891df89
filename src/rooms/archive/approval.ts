/**
 * Two people roll a market back: one requests it, another approves. Both are rows of the audit log, and count for the freeze
 * that is in force.
 */
import { z } from 'zod';
import { MARKET } from '../../core/domain/corridor.ts';
import { lockControl } from '../../core/store/controls/controls.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { rowsOf, timeText } from '../../kit/database/statement.ts';
import { Failure } from '../../kit/words/failure.ts';
import { foldName, type Officer } from '../../kit/words/principal.ts';

const listDecisions = rowsOf<{ who: string; at: string }, [market: string]>(
  'list-rollback-decisions',
  `select who, ${timeText('changed_at')} as at from market.audit_log
    where action in ('rollback.request', 'rollback.approve') and subject = $1
      and audit_id > (select max(audit_id) from market.audit_log where action = 'control.set' and subject = 'freeze:market')
    order by audit_id`,
);

/** Locks the freeze until the end of the database transaction. @throws Failure where the market is not frozen */
export async function requireFreeze(query: Query, market: string): Promise<{ frozenAt: string }> {
  const found = await lockControl(query, 'freeze', MARKET);
  if (found !== undefined) return { frozenAt: found.setAt };
  const why = `${market} is not frozen: freeze it first (risk controls set freeze market)`;
  throw new Failure('conflict', 'NOT_FROZEN', why);
}

export const rollbackRequestSchema = z
  .object({
    market: z.string(),
    state: z.enum(['requested', 'approved']),
    requested_by: z.string(),
    requested_at: z.iso.datetime(),
    approved_by: z.string().nullable(),
    approved_at: z.iso.datetime().nullable(),
  })
  .meta({ id: 'RollbackRequest' });
type RollbackRequest = z.infer<typeof rollbackRequestSchema>;

/** Undefined where nobody has requested a rollback since the market was frozen. */
export async function readRequest(
  query: Query,
  market: string,
): Promise<RollbackRequest | undefined> {
  const [requested, approved] = await listDecisions(query, market);
  return (
    requested && {
      market,
      state: approved === undefined ? 'requested' : 'approved',
      requested_by: requested.who,
      requested_at: requested.at,
      approved_by: approved?.who ?? null,
      approved_at: approved?.at ?? null,
    }
  );
}

/** The first person requests, another one approves. @throws Failure for the first person's second time */
export async function requestRollback(
  database: Pick<Database, 'transaction'>,
  market: string,
  reason: string,
  by: Officer,
): Promise<RollbackRequest> {
  return await database.transaction(async (query) => {
    await requireFreeze(query, market);
    const before = await readRequest(query, market);
    if (before?.state === 'approved') return before;
    if (before !== undefined && foldName(before.requested_by) === foldName(by.name)) {
      const why = `${by.name} has requested the rollback: another person approves it`;
      throw new Failure('conflict', 'ANOTHER_PERSON', why);
    }
    const action = before === undefined ? 'rollback.request' : 'rollback.approve';
    await recordChange(query, by, { action, subject: market, before: null, after: { reason } });
    const after = await readRequest(query, market);
    if (after === undefined) throw new Error('the audit log lacks the row that was appended');
    return after;
  });
}
