/** Reads the log of rollouts, and first appends the end of each emergency whose day is over. */
import type { Database } from '../../../kit/database/pool.ts';
import { ENGINE, engineOf } from '../../../kit/words/principal.ts';
import { planLapses } from '../../score/rollout/rollout.ts';
import { decideRollouts, readRollouts, type StoredRollout } from './model-rollouts.ts';

const REASON = 'an emergency that nobody confirmed within its day';

/** @param process name of the process in the audit log */
export async function readSettledRollouts(
  database: Database,
  process: string,
): Promise<StoredRollout[]> {
  const log = await readRollouts(database);
  if (planLapses(log).length === 0) return log;
  await decideRollouts(database, async (current) => ({
    rows: planLapses(current),
    ...{ proposalId: null, proposedBy: ENGINE, approvedBy: null },
    ...{ by: engineOf(process), reason: REASON },
  }));
  return await readRollouts(database);
}
