/** Two people roll a market back: one requests it, another confirms. The approval counts for the freeze that is in force. */
import { z } from 'zod';
import { MARKET } from '../../core/domain/corridor.ts';
import { lockControl } from '../../core/store/controls/controls.ts';
import type { Approval } from '../../kit/approvals/approval.ts';
import { type Execute, propose, requireConfirmed } from '../../kit/approvals/approvals.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import type { Officer } from '../../kit/words/principal.ts';

/** Locks the freeze until the end of the database transaction. @throws Failure where the market is not frozen */
export async function requireFreeze(query: Query, market: string): Promise<{ frozenAt: string }> {
  const found = await lockControl(query, 'freeze', MARKET);
  if (found !== undefined) return { frozenAt: found.setAt };
  const why = `${market} is not frozen: freeze it first (risk controls set freeze market)`;
  throw new Failure('conflict', 'NOT_FROZEN', why);
}

export async function requestRollback(
  { transaction }: Pick<Database, 'transaction'>,
  market: string,
  reason: string,
  by: Officer,
): Promise<Approval> {
  return await transaction(async (query) => {
    const { frozenAt } = await requireFreeze(query, market);
    const detail = { market, frozen_at: frozenAt };
    return await propose(query, { kind: 'market-rollback', subject: market, detail, reason }, by);
  });
}

const askedSchema = z.object({ frozen_at: z.string() });

/** The confirmation is the record that `risk archive rollback` reads. */
export const executeRollback: Execute<unknown> = async (query, { detail, subject: market }) => {
  const { frozenAt } = await requireFreeze(query, market);
  if (askedSchema.parse(detail).frozen_at === frozenAt) return { frozen_at: frozenAt };
  const why = `${market} was resumed since somebody requested the rollback: request it again`;
  throw new Failure('conflict', 'FROZEN_AGAIN', why);
};

/** The two people who have agreed since the market was frozen. @throws Failure where no two have */
export async function requireApproved(query: Query, market: string) {
  const { frozenAt } = await requireFreeze(query, market);
  const ask = `risk archive request ${market} --reason …`;
  return await requireConfirmed(query, ['market-rollback', market], frozenAt, ask);
}
