/**
 * Applies the ledger of erasures to a database that may be a restored backup. A legal hold that is older than an erasure's line
 * was lifted before the erasure, whatever the backup says; a newer one keeps a subject whose erasure failed to commit.
 */
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database } from '../../kit/database/pool.ts';
import type { Log } from '../../kit/metrics/log.ts';
import { Failure } from '../../kit/words/failure.ts';
import { engineOf } from '../../kit/words/principal.ts';
import { readLedger } from './ledger.ts';
import {
  addErased,
  deleteSubjects,
  findHoldsSince,
  listErased,
  lockState,
  raiseState,
} from './store.ts';

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
    const lines = [...ledger].filter(([token]) => !erased.has(token));
    if (lines.length === 0) return;
    const holds = new Map(
      (await findHoldsSince(query, ...columnsOf(lines))).map(({ token, holdId }) => [
        token,
        holdId,
      ]),
    );
    for (const [token, holdId] of holds) {
      log.warn({ token, holdId }, 'a legal hold keeps a subject that the ledger has as erased');
    }
    const tokens = lines.map(([token]) => token).filter((token) => !holds.has(token));
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

const columnsOf = (lines: readonly (readonly [token: string, at: string])[]) =>
  [lines.map(([token]) => token), lines.map(([, at]) => at)] as const;
