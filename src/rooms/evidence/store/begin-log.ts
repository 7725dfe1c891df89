/** Begins a log, and its walk over scores that are older, such that each later score is in the intake. */
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import { anyOf, lockWait } from '../../../kit/database/statement.ts';
import { FIRST_ID } from '../log/sets.ts';
import { EMPTY_ROOT } from '../log/tree.ts';

/**
 * The walk seals scores that are dated up to so long after a log begins, as the clock of their worker may be ahead. Longer: more
 * scores are looked for in the log before they are sealed.
 */
const UNSEEN = `interval '1 minute'`;

const hasLog = anyOf<[origin: string]>(
  'has-evidence-log',
  'from market.evidence_logs where origin = $1',
);
const beginStatement: Statement = {
  name: 'begin-evidence-log',
  text: `insert into market.evidence_logs (origin, root, before_at)
         values ($1, $2, now() + ${UNSEEN}) on conflict do nothing`,
};

/** Makes the row of a log that has none. */
export async function beginLog(
  { transaction }: Pick<Database, 'transaction'>,
  origin: string,
): Promise<void> {
  await transaction(async (query) => {
    if (await hasLog(query, origin)) return;
    await lockIntake(query);
    await query(beginStatement, [origin, EMPTY_ROOT]);
  });
}

const lapseStatement: Statement = {
  name: 'walk-evidence-again',
  text: `update market.evidence_logs
            set sealed_at = now(), before_at = now() + ${UNSEEN}, walked_to = '${FIRST_ID}'
          where log_id = $1`,
};

/** Begins the walk again after a time in which no ids went to the intake. */
export async function walkAgain(query: Query, logId: number): Promise<void> {
  await lockIntake(query);
  await query(lapseStatement, [logId]);
}

/** Time for which stores of scores may queue. Longer: a store that hangs delays others by more; shorter: a log begins later. */
const LOCK_WAIT_MS = 1000;

/**
 * Waits for stores of scores under way, and keeps new ones waiting until the commit. A store takes its lock before its snapshot, so
 * it either has committed before the log begins, or sees the log.
 */
async function lockIntake(query: Query): Promise<void> {
  await query(lockWait(LOCK_WAIT_MS));
  await query({ text: 'lock table market.evidence_intake in share mode' });
}
