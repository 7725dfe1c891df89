/** The one row of the reconciler's state; its update also proves that Postgres takes writes. */
import type { Database } from '../../../kit/database/pool.ts';

type Queries = Pick<Database, 'query'>;

export type ReconcileState = {
  /** Identity of the Redis that was last seen; null before the first check. */
  readonly redisIdentity: string | null;
  /** Every transaction received before it is final. */
  readonly checkpoint: Date;
  /** True from the loss of Redis until everything is back in a stream. */
  readonly recovering: boolean;
};

const readStatement = {
  name: 'read-reconcile-state',
  text: `select redis_identity as "redisIdentity", checkpoint, recovering from market.reconcile_state`,
};

export async function readReconcileState(database: Queries): Promise<ReconcileState> {
  const [row] = await database.query<ReconcileState>(readStatement);
  if (row === undefined) throw new Error('reconcile_state has lost its row');
  return row;
}

const writeStatement = {
  name: 'write-reconcile-state',
  text: `update market.reconcile_state
            set redis_identity = $3, checkpoint = greatest(checkpoint, $4), recovering = $5, updated_at = now()
          where redis_identity is not distinct from $1 and recovering = $2
         returning 1`,
};

/**
 * Writes where the row still is about the Redis, and the recovery, that it was when it was read; false where it is not.
 * The checkpoint only moves forward.
 */
export async function writeReconcileState(
  database: Queries,
  read: ReconcileState,
  { redisIdentity, checkpoint, recovering }: ReconcileState,
): Promise<boolean> {
  const values = [read.redisIdentity, read.recovering, redisIdentity, checkpoint, recovering];
  return (await database.query(writeStatement, values)).length === 1;
}

const touchStatement = {
  name: 'prove-write',
  text: 'update market.reconcile_state set updated_at = now()',
};

/**
 * Writes and commits, which is what readiness means. It is one small row, at most once a second and process;
 * the update stays within its page, so it costs neither index nor bloat.
 */
export async function proveWrite(database: Queries): Promise<void> {
  await database.query(touchStatement);
}
