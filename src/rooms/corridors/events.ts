/** Tells other systems of controls that another person ends, and of what figures propose. */

import { KIND_NAMES, kindOf, SETTING_ROLES } from '../../core/domain/control-kinds.ts';
import { corridorScope } from '../../core/domain/corridor.ts';
import type { Event, EventSource } from '../../core/events.ts';
import type { Query } from '../../kit/database/pool.ts';
import { rowsOf } from '../../kit/database/statement.ts';
import { ENGINE, type Role } from '../../kit/words/principal.ts';
import { readProposals } from './hour-figures.ts';

/** How long after a decision its event is still made, where no worker ran before. */
const MISSED_MS = 86_400_000;
/** Decisions of one reading; readings come every 10 s. */
const DECISIONS_MAX = 500;
const RECIPIENTS_MAX = 100;

const KIND_AND_SCOPE = /^([a-z-]+):(.+)$/;

type Row = {
  readonly auditId: string;
  readonly who: string;
  readonly subject: string;
  readonly at: Date;
  readonly reason: string | null;
};
const listDecided = rowsOf<Row, [since: Date, rowsMax: number]>(
  'list-second-authorities',
  `select audit_id::text as "auditId", who, subject, changed_at as at, after ->> 'reason' as reason
     from market.audit_log where action = 'control.set' and changed_at > $1
    order by audit_id desc limit $2`,
);

type Person = { readonly name: string; readonly roles: readonly Role[] };
/** People with the roles of keys that are in force. */
const listPeople = rowsOf<Person, [roles: readonly Role[]]>(
  'list-authorities',
  `select identity as name, array_agg(distinct role) as roles
     from market.api_keys join market.identities i using (identity), unnest(api_keys.roles) as role
    where api_keys.revoked_at is null and i.revoked_at is null and (expires_at is null or expires_at > now())
      and role = any ($1::text[]) and (role <> 'risk_officer' or confirmed_at is not null)
    group by identity order by identity`,
);

export const events: readonly EventSource[] = [
  { kind: 'watched', type: 'decision.second_authority', find: findDecisions },
  { kind: 'watched', type: 'decision.second_authority', find: findProposed },
];

async function findDecisions(query: Query, nowMs: number): Promise<Event[]> {
  const since = new Date(nowMs - MISSED_MS);
  const rows = await listDecided(query, since, DECISIONS_MAX);
  if (rows.length === 0) return [];
  const people = await listPeople(query, SETTING_ROLES);
  return rows.flatMap((row) => toEvent(row, people));
}

/** An event for each proposal and each UTC hour in which the proposal stands. */
async function findProposed(query: Query, nowMs: number): Promise<Event[]> {
  const proposals = await readProposals({ query }, nowMs);
  if (proposals.length === 0) return [];
  const at = new Date(nowMs);
  const recipients = (await listPeople(query, SETTING_ROLES)).map(({ name }) => name);
  return proposals.map((proposal) => ({
    id: `proposal_${proposal.trigger}_${proposal.corridor}_${at.toISOString().slice(0, 13)}`,
    type: 'decision.second_authority',
    at,
    corridor: proposal.corridor,
    data: {
      action: proposal.action,
      subject: corridorScope(proposal.corridor),
      reason: null,
      who: ENGINE,
      at,
      is_waiting: true,
      next: `One person confirms it: risk corridors confirm ${proposal.id}.`,
      recipients: recipients.slice(0, RECIPIENTS_MAX),
      proposal,
    },
  }));
}

function toEvent({ auditId, who, subject, at, reason }: Row, people: readonly Person[]): Event[] {
  const [, name, scope = ''] = KIND_AND_SCOPE.exec(subject) ?? [];
  const kind = KIND_NAMES.find((known) => known === name);
  // Controls of some kinds make no event.
  if (kind === undefined || !kindOf(kind).isTold) return [];
  const { roles, person } = kindOf(kind).end(scope);
  const recipients = people
    .filter((person) => person.roles.some((role) => roles.some((needed) => needed === role)))
    .map(({ name }) => name)
    .filter((name) => person === 'any' || name !== who)
    .slice(0, RECIPIENTS_MAX);
  const other = person !== 'any' ? `another person than ${who}` : 'one person';
  const next = `To end ${subject} takes ${other} with the role ${roles.join(' or ')}.`;
  const corridor = /:([A-Z]{2}-[A-Z]{2})$/.exec(subject)?.[1];
  return [
    {
      id: `authority_${auditId}`,
      type: 'decision.second_authority',
      at,
      ...(corridor === undefined ? {} : { corridor }),
      data: {
        action: 'control.set',
        subject,
        reason,
        who,
        at,
        is_waiting: false,
        next,
        recipients,
      },
    },
  ];
}
