/** The table `unfinished_restore` of a market whose restore from an archive has not ended: nothing serves or migrates the market. */
import { Failure } from '../words/failure.ts';
import type { Query } from './pool.ts';
import { onlyOf } from './statement.ts';

const findUnfinished = onlyOf<{ is: boolean }>(
  'find-unfinished-restore',
  `select to_regclass('market.unfinished_restore') is not null as is`,
);

export const isBeingRestored = async (query: Query): Promise<boolean> =>
  (await findUnfinished(query)).is;

/** @throws Failure where the market is being restored */
export async function refuseUnfinished(query: Query): Promise<void> {
  if (!(await isBeingRestored(query))) return;
  const why =
    'the market is being restored; where that was ended, give `risk archive restore-market` again';
  throw new Failure('unavailable', 'RESTORE_UNFINISHED', why);
}
