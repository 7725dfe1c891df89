/** Requests a recovery of everything received from a time on. */
import type { Database } from '../../../kit/database/pool.ts';

const requestStatement = {
  name: 'request-rescan',
  text: `update market.reconcile_state
            set redis_identity = null, checkpoint = least(checkpoint, $1), updated_at = now()`,
};

/**
 * Acts as if Redis were another one that lost everything since: a recovery begins there, also in place of one
 * under way.
 */
export async function requestRescan(database: Pick<Database, 'query'>, from: Date): Promise<void> {
  await database.query(requestStatement, [from]);
}
