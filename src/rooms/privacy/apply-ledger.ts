/** Applies the ledger of erasures to a database that may be a restored backup. */
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { Failure } from '../../kit/words/failure.ts';
import { engineOf } from '../../kit/words/principal.ts';
import { readLedger } from './ledger.ts';
import { addErased, deleteSubjects, listErased, lockState, raiseState } from './store.ts';

/** @throws Failure where the ledger lacks an erasure that Postgres has: the file was cut, or is another file */
export async function applyLedger(
  database: Pick<Database, 'transaction'>,
  market: string,
  path: string,
  log: Pick<Log, 'warn'>,
): Promise<void> {
  const ledger = await readLedger(path, market);
  await database.transaction(async (query) => {
    const { keyId, marketKey } = await lockState(query);
    const erased = new Set((await listErased(query)).map(({ token }) => token));
    const lacking = [...erased].filter((token) => !ledger.has(token));
    if (lacking.length > 0) {
      const why = `RISK_ERASURE_LEDGER ${path} lacks ${lacking.length} of the ${erased.size} erasures that Postgres has, first ${lacking[0]}: give the file that has them`;
      throw new Failure('permanent', 'LEDGER_BEHIND', why);
    }
    const tokens = [...ledger].filter((token) => !erased.has(token));
    if (tokens.length === 0) return;
    const gone = await deleteSubjects(query, tokens);
    await addErased(query, tokens);
    await raiseState(query, keyId, marketKey);
    await recordChange(query, engineOf('ledger'), {
      action: 'personal.erase',
      subject: market,
      before: null,
      after: { of_ledger: tokens.length, subjects: gone.length },
    });
    log.warn(
      { erasures: tokens.length, subjects: gone.length },
      'the ledger of erasures was applied',
    );
  });
}
