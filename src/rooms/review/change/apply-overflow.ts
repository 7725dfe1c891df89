/** Counts what meets the overflow rules of the policy, and escalates where a rule says so. Other actions are proposals to people. */
import { recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../../kit/database/pool.ts';
import { ENGINE, engineOf } from '../../../kit/words/principal.ts';
import { countOverflow, escalateOlder, type Overflow } from '../store/figures.ts';
import { readPolicy } from '../store/policies.ts';

/** Cases that one call escalates of a rule. */
const ESCALATED_MAX = 100;

/** @returns every rule with the number of cases that meet it */
export async function applyOverflow(
  writes: Pick<Database, 'transaction'>,
  query: Query,
  request: string,
): Promise<Overflow[]> {
  const { policy } = await readPolicy(query);
  const counted = await countOverflow(query, policy.overflow);
  for (const { rule, cases } of counted) {
    if (cases === 0 || !rule.actions.includes('escalate')) continue;
    await writes.transaction(async (query) => {
      const { priority, older_than_minutes: olderThanMinutes } = rule;
      const older = await escalateOlder(query, priority, olderThanMinutes, ESCALATED_MAX);
      const after = { escalatedBy: ENGINE, olderThanMinutes };
      await recordChanges(
        query,
        engineOf(request),
        older.map(({ subject }) => ({ action: 'case.escalate', subject, before: null, after })),
      );
    });
  }
  return counted;
}
