/**
 * Makes deliveries of what holds for a while: deadlines about to be missed, and alerts. Each is looked for again and again;
 * the id of its event, made of what it is about, lets one delivery of it be made.
 */
import type { Database, Query } from '../../../kit/database/pool.ts';
import { listWatchReports } from '../../models/store/watch-reports.ts';
import { priorityName } from '../../review/review-policy.ts';
import { countOlder } from '../../review/store/case-figures.ts';
import { readPolicy } from '../../review/store/review-policies.ts';
import { findKnownEvents, insertDeliveries } from '../store/deliveries.ts';
import { listTakers } from '../store/endpoints.ts';
import { listNearDeadline, type NearCase } from '../store/event-sources.ts';
import type { Endpoint, WebhookType } from '../webhook.ts';
import { type Event, match } from './match-events.ts';

/** A deadline is near within this time. */
export const NEAR_MINUTES = 30;
/** How long after a missed deadline its event is still made, where no worker ran before it. */
const MISSED_HOURS = 24;
const CASES_MAX = 5000;

/** @returns how many deliveries are new */
export async function raiseWatched(
  database: Pick<Database, 'query'>,
  nowMs: number,
): Promise<number> {
  const endpoints = await listTakers(database.query);
  const isTaken = (type: WebhookType) => endpoints.some((one) => one.eventTypes.includes(type));
  const events = [
    ...(isTaken('review.deadline_near') ? await findNear(database.query) : []),
    ...(isTaken('alert.raised') ? await findAlerts(database.query, nowMs) : []),
  ];
  const unknown = await withoutKnown(database.query, endpoints, events);
  return (await insertDeliveries(database.query, unknown)).length;
}

/** A row that is inserted in vain takes an id and leaves a dead row; most events are known. */
async function withoutKnown(
  query: Query,
  endpoints: readonly Endpoint[],
  events: readonly Event[],
) {
  const wanted = match(endpoints, events);
  const byEndpoint = Map.groupBy(wanted, ({ endpointId }) => endpointId);
  const unknown = [];
  for (const [endpointId, deliveries] of byEndpoint) {
    const ids = deliveries.map(({ eventId }) => eventId);
    const known = await findKnownEvents(query, endpointId, ids);
    unknown.push(...deliveries.filter(({ eventId }) => !known.has(eventId)));
  }
  return unknown;
}

async function findNear(query: Query): Promise<Event[]> {
  return (await listNearDeadline(query, NEAR_MINUTES, MISSED_HOURS, CASES_MAX)).map(toNear);
}

function toNear(one: NearCase): Event {
  return {
    id: `deadline_${one.transactionId}_${one.dueAt.getTime()}`,
    ...{ type: 'review.deadline_near', at: one.at, corridor: one.corridor },
    data: {
      ...{ transaction_id: one.transactionId, priority: priorityName(one.priority) },
      ...{ due_at: one.dueAt.toISOString(), opened_at: one.openedAt.toISOString() },
      ...{ state: one.state, assignee: one.assignee, locked_by: one.lockedBy },
      ...{ account_id: one.accountId, merchant_id: one.merchantId, corridor: one.corridor },
      ...{ score: one.score, verdict: one.verdict },
    },
  };
}

async function findAlerts(query: Query, nowMs: number): Promise<Event[]> {
  const at = new Date(nowMs);
  return [...(await findOverflow(query, at)), ...(await findDrift(query, at))];
}

/** Overflow rules that ask for an alert and are met; each again in every UTC hour in which it is met. */
async function findOverflow(query: Query, at: Date): Promise<Event[]> {
  const { policy } = await readPolicy({ query });
  const events: Event[] = [];
  for (const rule of policy.overflow) {
    if (!rule.actions.includes('alert')) continue;
    const { priority, older_than_minutes } = rule;
    const cases = await countOlder({ query }, priority, older_than_minutes);
    if (cases === 0) continue;
    const name = priorityName(priority);
    const hour = at.toISOString().slice(0, 13);
    events.push({
      ...{ id: `alert_overflow_${name}_${older_than_minutes}_${hour}`, type: 'alert.raised', at },
      data: { alert: 'review_overflow', priority: name, older_than_minutes, cases },
    });
  }
  return events;
}

/** Models whose scores or features have drifted much; each again on every UTC day. */
async function findDrift(query: Query, at: Date): Promise<Event[]> {
  const reports = await listWatchReports(query, at.getTime());
  return reports
    .filter(({ level }) => level === 'alert')
    .map(({ model, watched_at, score, features }) => ({
      id: `alert_drift_${model.replaceAll('.', '-')}_${watched_at.slice(0, 10)}`,
      ...{ type: 'alert.raised' as const, at: new Date(watched_at) },
      data: {
        ...{ alert: 'model_drift', model, watched_at, psi: score.psi },
        features: features.filter(({ level }) => level === 'alert').map(({ feature }) => feature),
      },
    }));
}
