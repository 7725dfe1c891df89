/**
 * Overflow rules of the policy: which of them are met, and the one action that the engine carries out itself, escalation. It
 * takes a case from nobody. The others are proposals: people decide.
 */
import { recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { engineOf } from '../../../kit/words/principal.ts';
import type { OverflowRule } from '../policy.ts';
import { countOlder, escalateOlder } from '../store/figures.ts';
import { readPolicy } from '../store/policies.ts';

/** Cases that one call escalates of a rule. */
const ESCALATED_MAX = 100;

export type Overflow = { readonly rule: OverflowRule; readonly cases: number };

/** @returns every rule with the number of cases that meet it */
export async function applyOverflow(
  writes: Pick<Database, 'transaction'>,
  database: Pick<Database, 'query'>,
  request: string,
): Promise<Overflow[]> {
  const { policy } = await readPolicy(database);
  const found: Overflow[] = [];
  for (const rule of policy.overflow) {
    const { priority, older_than_minutes: minutes } = rule;
    const cases = await countOlder(database, priority, minutes);
    found.push({ rule, cases });
    if (cases === 0 || !rule.actions.includes('escalate')) continue;
    await writes.transaction(async (query) => {
      const ids = await escalateOlder(query, priority, minutes, ESCALATED_MAX);
      const after = { escalatedBy: 'engine', olderThanMinutes: minutes };
      await recordChanges(
        query,
        engineOf(request),
        ids.map((subject) => ({ action: 'case.escalate', subject, before: null, after })),
      );
    });
  }
  return found;
}
