/** Checks a log behind an attack by hand, and undoes the attack. */
import type { Query } from '../../../../src/kit/database/pool.ts';
import { type Checked, checkLog } from '../../../../src/rooms/evidence/check/check.ts';
import { readPublished } from '../../../../src/rooms/evidence/seal/published.ts';
import { readNewestLog } from '../../../../src/rooms/evidence/store/evidence-log.ts';
import type { EvidenceRig } from './rig.ts';

const UNDO = new Error('undo');

/** @param seen a checkpoint that a reader has kept */
export async function checkBehind(
  { database, path, keys }: Pick<EvidenceRig, 'database' | 'path' | 'keys'>,
  attack: (query: Query) => Promise<unknown>,
  seen?: string,
): Promise<Checked> {
  const file = await readPublished(path);
  let checked: Checked | undefined;
  await database
    .transaction(async (query) => {
      await attack(query);
      const log = await readNewestLog(query);
      if (log === undefined) throw new Error('no log');
      checked = await checkLog(query, log, { file, seen, keys }, new AbortController().signal);
      throw UNDO;
    })
    .catch((error: unknown) => {
      if (!(error instanceof Error && (error === UNDO || error.cause === UNDO))) throw error;
    });
  if (checked === undefined) throw new Error('not checked');
  return checked;
}
