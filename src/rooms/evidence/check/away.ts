/** Counts sealed scores of months without tables, and names months that nobody took off. */
import { createdAtMsOf } from '../../../core/domain/transaction-id.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { rowsOf } from '../../../kit/database/statement.ts';
import { type Month, monthOf, monthText } from '../../../kit/words/month.ts';
import type { Note } from './finding.ts';

/** Months that people took off and did not put back. */
const readTakenOff = rowsOf<{ month: string }>(
  'read-months-taken-off',
  `select subject as month from (
     select distinct on (subject) subject, action from market.audit_log
      where action in ('month.detach', 'month.attach') order by subject, audit_id desc) last
    where action = 'month.detach'`,
);

export function createAwayCount(query: Query, note: Note) {
  const counts = new Map<Month, number>();
  return {
    add: (ids: readonly string[]) => {
      for (const id of ids) {
        const month = monthOf(createdAtMsOf(id) ?? 0);
        counts.set(month, (counts.get(month) ?? 0) + 1);
      }
    },
    /** @returns the number of scores that are away */
    end: async (): Promise<number> => {
      const takenOff = new Set((await readTakenOff(query)).map(({ month }) => month));
      let sum = 0;
      for (const [month, count] of counts) {
        sum += count;
        const text = monthText(month);
        if (!takenOff.has(text))
          note('deleted', `scores of ${text}, which nobody took off: ${count}`);
      }
      return sum;
    },
  };
}
