/** Events of the review for other systems: near deadlines, overflow rules that are met, and decisions that wait for a second person. */
import type { Event, EventSource } from '../../core/events.ts';
import { toWaitingEvents } from '../../kit/approvals/approvals.ts';
import type { Query } from '../../kit/database/pool.ts';
import { APPROVING_ROLES } from '../../kit/words/principal.ts';
import { priorityName } from './policy.ts';
import { countOverflow, listConfirming, listNearDeadline } from './store/figures.ts';
import { readPolicy } from './store/policies.ts';

/** A near deadline comes within this time: with more, people hear too early; with less, they cannot act. */
const NEAR_MINUTES = 30;
/** How long after a missed deadline its event is still made, where no worker ran before it. */
const MISSED_HOURS = 24;
/** Cases of one reading; with more near deadlines the later ones are found in a later reading. */
const CASES_MAX = 5000;

export const events: readonly EventSource[] = [
  { type: 'review.deadline_near', find: findNear },
  { type: 'alert.raised', find: findOverflow },
  { type: 'approval.waiting', find: findConfirming },
];

/** A dispute gives a case a new deadline, and so an event of its own. */
async function findNear(query: Query, nowMs: number): Promise<Event[]> {
  const near = await listNearDeadline(query, NEAR_MINUTES, MISSED_HOURS, CASES_MAX);
  return near.map((person) => ({
    id: `deadline_${person.transaction_id}_${Date.parse(person.due_at)}`,
    type: 'review.deadline_near',
    at: new Date(nowMs),
    corridor: person.corridor,
    data: person,
  }));
}

/** Overflow rules that ask for an alert and are met: one event a rule and UTC hour in which it is met. */
async function findOverflow(query: Query, nowMs: number): Promise<Event[]> {
  const { policy } = await readPolicy(query);
  const alerting = policy.overflow.filter(({ actions }) => actions.includes('alert'));
  const at = new Date(nowMs);
  const events: Event[] = [];
  for (const { rule, cases } of await countOverflow(query, alerting)) {
    if (cases === 0) continue;
    const { priority, older_than_minutes } = rule;
    const name = priorityName(priority);
    events.push({
      id: `alert_overflow_${name}_${older_than_minutes}_${at.toISOString().slice(0, 13)}`,
      type: 'alert.raised',
      at,
      data: { alert: 'review_overflow', priority: name, older_than_minutes, cases },
    });
  }
  return events;
}

/** A decision is told once; another decision about the same case is told again. */
async function findConfirming(query: Query): Promise<Event[]> {
  const waiting = (await listConfirming(query, CASES_MAX)).map(({ id, at, corridor, ...said }) => ({
    event: { id: `case_${id}_${at.getTime()}`, at, corridor },
    said: {
      action: 'case.decide',
      subject: id,
      ...said,
      next: `Another person confirms or returns it: risk review confirm ${id}.`,
    },
    roles: APPROVING_ROLES,
    except: said.who,
  }));
  return await toWaitingEvents(query, waiting);
}
