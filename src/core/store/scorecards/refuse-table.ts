/** The engine refuses a table of the day as a person does: the table before it judges within two seconds. */
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database } from '../../../kit/database/pool.ts';
import { ENGINE, engineOf } from '../../../kit/words/principal.ts';
import { nameOf } from '../../domain/control.ts';
import { MODEL } from '../../domain/corridor.ts';
import { tableName } from '../../score/scorecard/judge-by-table.ts';
import { changeControls, type NewControl } from '../controls/controls.ts';

/**
 * A table that somebody has refused already stays as it is.
 * @param name of the process, in the audit log
 */
export const refuseTable =
  (database: Pick<Database, 'query' | 'transaction'>, name: string) =>
  (day: number, reason: string): Promise<void> =>
    changeControls(database, false, async (query, { inForce }, { set }) => {
      const scope = MODEL + tableName({ day });
      if (inForce.get('stop')?.has(scope)) return;
      const nothing = { value: null, message: null, ends_at: null };
      const control: NewControl = { kind: 'stop', scope, reason, set_by: ENGINE, ...nothing };
      await set(control);
      const change = { action: 'control.set', subject: nameOf(control), before: null } as const;
      await recordChange(query, engineOf(name), { ...change, after: control });
    });
