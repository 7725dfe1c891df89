/** The engine's own decisions about models: an emergency whose day is over ends, and a model that fails is taken back. */

import { planLapses, planRemoval } from '../../../core/score/rollout/plan-rollout.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { ENGINE, engineOf } from '../../../kit/words/principal.ts';
import { decideRollouts, readRollouts, type StoredRollout } from '../store/rollouts.ts';

const BY_ENGINE = { proposalId: null, proposedBy: ENGINE, approvedBy: null };
const LAPSED = 'an emergency that nobody confirmed within its day';

/**
 * Reads the log of rollouts, and first appends the end of each emergency whose day is over.
 * @param process name of the process in the audit log
 */
export async function readSettledRollouts(
  database: Database,
  process: string,
): Promise<StoredRollout[]> {
  const log = await readRollouts(database);
  if (planLapses(log).length === 0) return log;
  const by = engineOf(process);
  await decideRollouts(database, async (current) => ({
    ...BY_ENGINE,
    rows: planLapses(current),
    by,
    reason: LAPSED,
  }));
  return await readRollouts(database);
}

/** False where the model no longer decides in the corridor: a person or another worker was faster. */
export async function removeModel(
  database: Database,
  process: string,
  {
    corridor,
    modelId,
    why,
  }: { readonly corridor: string; readonly modelId: string; readonly why: string },
): Promise<boolean> {
  const by = engineOf(process);
  const { rows } = await decideRollouts(database, async (log) => ({
    ...BY_ENGINE,
    rows: planRemoval(log, corridor, modelId),
    by,
    reason: why,
  }));
  return rows.length > 0;
}
