/**
 * Events that the engine tells other systems. A room adds an event in the commit of what it tells, or offers what holds for a while
 * as a source; the room of webhooks sends each event once to each endpoint that takes it.
 */
import { textArray } from '../kit/database/binary-array.ts';
import type { Query, Statement } from '../kit/database/pool.ts';

export const EVENT_TYPES = [
  'transaction.decided',
  'transaction.final_decision',
  'review.deadline_near',
  'alert.raised',
  'approval.waiting',
  'evidence.checkpoint',
] as const;
export type EventType = (typeof EVENT_TYPES)[number];

/** An event about one thing of the market. */
export type Event<Type extends string = EventType> = {
  /** Names what the event is about: an event that is found again has the same id, and is sent once. */
  readonly id: string;
  readonly type: Type;
  readonly at: Date;
  /** Absent where the event belongs to no corridor. */
  readonly corridor?: string;
  readonly data: object;
};

/** A decision about a transaction, of which an event lists many. */
export type DecisionEvent = Omit<Event<'transaction.final_decision'>, 'id'> & {
  readonly transactionId: string;
  readonly corridor: string;
  /** Sent in place of `data` to endpoints of a client. */
  readonly clientData: object;
};

/** A source of events about what holds for a while, such as an alert; the source is asked for all its events again and again. */
export type EventSource = {
  readonly type: 'review.deadline_near' | 'alert.raised' | 'approval.waiting';
  readonly find: (query: Query, nowMs: number) => Promise<readonly Event[]>;
};

/** SQL: the webhook gets new events; events of a paused webhook wait. */
export const TAKES = 'disabled_at is null and deleted_at is null';

const addStatement: Statement = {
  name: 'add-events',
  text: `insert into market.outbox_events (event)
         select event from unnest($1::text[], $2::text[]) with ordinality as e (event, type, nth)
          where exists (select from market.webhook_endpoints where type = any (event_types) and ${TAKES})
          order by nth`,
};

/** Adds the events that a webhook takes, in the database transaction of what they tell. */
export async function addEvents(
  query: Query,
  events: readonly (Event | DecisionEvent)[],
): Promise<void> {
  if (events.length === 0) return;
  await query(addStatement, [
    textArray(events.map((event) => JSON.stringify(event))),
    textArray(events.map(({ type }) => type)),
  ]);
}
