/** Two people take a table of the day that waits for them; the confirmed approval is what puts the table in use. */

import { textOfDay } from '../../../core/score/scorecard/day-table.ts';
import { listTableDays } from '../../../core/store/scorecards/find-tables.ts';
import type { Approval } from '../../../kit/approvals/approval.ts';
import { type Execute, propose } from '../../../kit/approvals/approvals.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Officer } from '../../../kit/words/principal.ts';
import { readHead } from './answers.ts';

/** Whether the table of a day is in use. @throws Failure where a table of a later day is */
async function isInUse(query: Query, day: string): Promise<boolean> {
  const last = textOfDay((await listTableDays(query)).at(-1)?.day ?? 0);
  if (last <= day) return last === day;
  const why = `the table of ${last} is in use: an earlier table would judge nothing`;
  throw new Failure('conflict', 'SCORECARD_LATE', why);
}

export const proposeTable = (
  { transaction }: Database,
  day: string,
  reason: string,
  by: Officer,
): Promise<Approval> =>
  transaction(async (query) => {
    const { isTaken, inUse } = await readHead(query, day);
    await isInUse(query, day);
    if (isTaken) {
      const when = inUse ? 'in use' : 'taken, and in use once its stop has ended';
      throw new Failure('conflict', 'SCORECARD_IN_USE', `the table of ${day} is ${when}`);
    }
    return await propose(query, { kind: 'scorecard-table', subject: day, detail: {}, reason }, by);
  });

/** Where a person has stopped the table, it is in use once the stop has ended. */
export const executeTable: Execute<unknown> = async (query, { subject: day }) => ({
  in_use: await isInUse(query, day),
});
