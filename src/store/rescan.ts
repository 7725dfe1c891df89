/** Asks whoever reconciles to look once more at what was received. */
import type { Database } from './pool.ts';

const requestStatement = {
  name: 'request-rescan',
  text: `update market.reconcile_state
            set redis_identity = null, checkpoint = least(checkpoint, $1), updated_at = now()`,
};

/** As if Redis were another one, which lost everything since: a recovery begins there, also in place of one under way. */
export async function requestRescan(database: Pick<Database, 'query'>, from: Date): Promise<void> {
  await database.query(requestStatement, [from]);
}
