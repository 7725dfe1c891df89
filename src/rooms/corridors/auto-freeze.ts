/**
 * Freezes a corridor, at most once a day, where two people have allowed this by a control. Only a person ends the freeze, which outlasts
 * the control.
 */
import {
  type Control,
  type Controls,
  freezeOf,
  nameOf,
  stopOf,
} from '../../core/domain/control.ts';
import { corridorScope } from '../../core/domain/corridor.ts';
import type { Worker } from '../../core/room.ts';
import { changeControls, type NewControl } from '../../core/store/controls/controls.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Query } from '../../kit/database/pool.ts';
import { firstOf } from '../../kit/database/statement.ts';
import type { Writes } from '../../kit/duties/leadership.ts';
import type { Duty } from '../../kit/duties/run-duties.ts';
import { ENGINE } from '../../kit/words/principal.ts';
import { disputedSince, disputesText } from './disputes.ts';

/** Longer: more value leaves before the freeze. Shorter: labels are counted more often, 1 ms a policy. */
const EVERY_MS = 2000;
const BY = { name: ENGINE, keyId: null, request: 'auto-freeze' };

// The two people allowed a freeze by labels that come after the policy. A label that another one has corrected is no dispute.
const COUNTED = `came_alone and label = 'fraud' and source = any ($2) and received_at >= $3 and not exists (
  select from market.labels later where later.created_at >= $1 and (later.transaction_id, later.created_at) = (labels.transaction_id, labels.created_at)
     and later.labelled_at > labels.labelled_at and later.label <> 'fraud')`;
const findMet = firstOf<
  { disputes: number },
  [
    since: Date,
    sources: readonly string[],
    setAt: string,
    corridor: string,
    most: number,
    name: string,
  ]
>(
  'find-auto-freeze',
  `select disputes from (${disputesText(COUNTED)}) d
    where corridor = $4 and disputes > $5 and not exists (
      select from market.audit_log where action = 'control.set' and subject = $6 and who = '${ENGINE}'
         and changed_at > clock_timestamp() - interval '24 hours')`,
);

const CORRIDOR = corridorScope('');

/** Counts the disputes that have met a policy; undefined where the policy is not met or may not freeze now. */
async function metBy(query: Query, controls: Controls, { scope, value, set_at }: Control) {
  const corridor = scope.slice(CORRIDOR.length);
  if (freezeOf(controls, corridor) ?? stopOf(controls, corridor)) return undefined;
  const { sources = [], disputes = Infinity } = value ?? {};
  const name = nameOf({ kind: 'freeze', scope });
  const since = disputedSince(Date.now());
  return (await findMet(query, since, sources, set_at, corridor, disputes, name))?.disputes;
}

const policiesOf = ({ inForce }: Controls) => inForce.get('auto-freeze');

/** Waits for stores of scores under way, then freezes the scope if the policy is in force and met. @returns the controls after a freeze */
async function freeze(writes: Writes, scope: string): Promise<Controls | undefined> {
  return await changeControls(writes, false, async (query, before, { set }) => {
    const policy = policiesOf(before)?.get(scope);
    const found = policy && (await metBy(query, before, policy));
    if (found === undefined) return undefined;
    const control: NewControl = {
      ...{ kind: 'freeze', scope, value: null, message: null, ends_at: null, set_by: ENGINE },
      reason: `${found} disputes within 5 minutes, by the policy of ${policy?.set_by}: ${policy?.reason}`,
    };
    const now = await set(control);
    const change = { action: 'control.set', subject: nameOf(control), before: null } as const;
    await recordChange(query, BY, { ...change, after: control });
    return now;
  });
}

export function bindAutoFreeze({ database, leadership, controls, log }: Worker): Duty {
  const lead = leadership.of('care');
  const look = async () => {
    const known = controls.current();
    for (const policy of policiesOf(known)?.values() ?? []) {
      if ((await metBy(database.query, known, policy)) === undefined) continue;
      const now = await freeze(lead.writes, policy.scope);
      if (now === undefined) continue;
      controls.take(now);
      log.warn({ scope: policy.scope }, 'auto-freeze');
    }
  };
  return {
    name: 'auto-freeze',
    everyMs: EVERY_MS,
    run: async () => {
      if (policiesOf(controls.current()) !== undefined) await lead.run(look);
    },
  };
}
