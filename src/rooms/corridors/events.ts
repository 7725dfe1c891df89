/** Tells other systems of controls that another person ends, and of what figures suggest. */

import { type Control, nameOf } from '../../core/domain/control.ts';
import { KIND_NAMES, kindOf, SETTING_ROLES } from '../../core/domain/control-kinds.ts';
import { corridorScope } from '../../core/domain/corridor.ts';
import type { Event, EventSource } from '../../core/events.ts';
import { readControls } from '../../core/store/controls/controls.ts';
import { toWaitingEvents, type Waiting } from '../../kit/approvals/approvals.ts';
import type { Query } from '../../kit/database/pool.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import { ENGINE } from '../../kit/words/principal.ts';
import { HOUR_MS } from '../../kit/words/range.ts';
import { readSuggestions } from './hour-figures.ts';

/** How long after a decision its event is still made, where no worker ran before. */
const MISSED_MS = 86_400_000;
/** Decisions of one reading; readings come every 10 s. */
const DECISIONS_MAX = 500;

const KIND_AND_SCOPE = /^([a-z-]+):(.+)$/;

type Row = Pick<Waiting['said'], 'who' | 'subject' | 'reason'> & {
  /** Names the event. */
  readonly id: string;
  readonly at: Date;
};
const listDecided = rowsOf<Row, [since: Date, rowsMax: number]>(
  'list-second-authorities',
  `select 'authority_' || audit_id as id, who, subject, changed_at as at, after ->> 'reason' as reason
     from market.audit_log where action = 'control.set' and changed_at > $1
    order by audit_id desc limit $2`,
);

export const events: readonly EventSource[] = [
  { type: 'approval.waiting', find: findDecisions },
  { type: 'approval.waiting', find: findSuggested },
  { type: 'approval.waiting', find: findFrozen },
];

async function findDecisions(query: Query, nowMs: number): Promise<Event[]> {
  const rows = await listDecided(query, new Date(nowMs - MISSED_MS), DECISIONS_MAX);
  return await toWaitingEvents(query, rows.flatMap(toWaiting));
}

/** An event for each suggestion and each UTC hour in which the suggestion stands. */
async function findSuggested(query: Query, nowMs: number): Promise<Event[]> {
  const at = new Date(nowMs);
  const waiting = (await readSuggestions({ query }, nowMs)).map((suggestion) => ({
    event: {
      id: `suggestion_${suggestion.trigger}_${suggestion.corridor}_${at.toISOString().slice(0, 13)}`,
      at,
      corridor: suggestion.corridor,
    },
    said: {
      action: suggestion.action,
      subject: corridorScope(suggestion.corridor),
      reason: null,
      who: ENGINE,
      next: `One person applies it: risk corridors apply ${suggestion.id}.`,
      suggestion,
    },
    roles: SETTING_ROLES,
    except: null,
  }));
  return await toWaitingEvents(query, waiting);
}

/** An event for each hour since the engine has frozen a corridor, until a person ends the freeze. */
async function findFrozen(query: Query, nowMs: number): Promise<Event[]> {
  const frozen = (await readControls({ query })).inForce.get('freeze') ?? new Map();
  const waiting = [...frozen.values()].flatMap((control: Control) => {
    const setMs = Date.parse(control.set_at);
    const hours = Math.floor((nowMs - setMs) / HOUR_MS);
    if (control.set_by !== ENGINE || hours < 1) return [];
    const at = new Date(setMs + hours * HOUR_MS);
    const { version, reason } = control;
    return toWaiting({
      id: `frozen_${version}_${hours}`,
      ...{ who: ENGINE, subject: nameOf(control), at, reason },
    });
  });
  return await toWaitingEvents(query, waiting);
}

/** None for a kind whose controls make no event. */
function toWaiting({ id, who, subject, at, reason }: Row): Waiting[] {
  const [, name, scope = ''] = KIND_AND_SCOPE.exec(subject) ?? [];
  const kind = KIND_NAMES.find((known) => known === name);
  if (kind === undefined || !kindOf(kind).isTold) return [];
  const { roles, person } = kindOf(kind).end(scope);
  const except = person === 'any' || who === ENGINE ? null : who;
  const people = except === null ? 'one person' : `another person than ${who}`;
  const next = `To end ${subject} takes ${people} with the role ${roles.join(' or ')}.`;
  const corridor = /:([A-Z]{2}-[A-Z]{2})$/.exec(subject)?.[1];
  const event = { id, at, ...(corridor === undefined ? {} : { corridor }) };
  return [{ event, said: { action: 'control.set', subject, reason, who, next }, roles, except }];
}
