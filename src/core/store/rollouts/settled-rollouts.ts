/** The engine's own decisions: an emergency whose day is over ends, and what fails is taken back. */
import type { Database } from '../../../kit/database/pool.ts';
import { ENGINE, engineOf } from '../../../kit/words/principal.ts';
import { planLapses, planRemoval } from '../../score/rollout/plan-rollout.ts';
import { decideRollouts, type RolloutKind, readRollouts, type StoredRollout } from './rollouts.ts';

const BY_ENGINE = { proposalId: null, proposedBy: ENGINE, approvedBy: null };
const LAPSED = 'an emergency that nobody confirmed within its day';

/**
 * Reads the log of rollouts, and first appends the end of each emergency whose day is over.
 * @param process name of the process in the audit log
 */
export async function readSettledRollouts(
  kind: RolloutKind,
  database: Database,
  process: string,
): Promise<StoredRollout[]> {
  const log = await readRollouts(kind, database);
  if (planLapses(log).length === 0) return log;
  const by = engineOf(process);
  await decideRollouts(kind, database, async (current) => ({
    ...BY_ENGINE,
    rows: planLapses(current),
    by,
    reason: LAPSED,
  }));
  return await readRollouts(kind, database);
}

/** False where the subject no longer decides in the corridor: a person or another worker was faster. */
export async function takeBack(
  kind: RolloutKind,
  database: Database,
  process: string,
  {
    corridor,
    subject,
    why,
  }: { readonly corridor: string; readonly subject: string; readonly why: string },
): Promise<boolean> {
  const by = engineOf(process);
  const { rows } = await decideRollouts(kind, database, async (log) => ({
    ...BY_ENGINE,
    rows: planRemoval(log, corridor, subject),
    by,
    reason: why,
  }));
  return rows.length > 0;
}
