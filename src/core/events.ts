/**
 * Events that the engine tells other systems. A room offers what it has to tell as a source; the room of webhooks asks the
 * sources and sends each event once to each endpoint that takes it.
 */
import type { Query } from '../kit/database/pool.ts';
import type { Verdict } from './domain/score-record.ts';

export const EVENT_TYPES = [
  'transaction.decided',
  'transaction.final_decision',
  'review.deadline_near',
  'alert.raised',
  'decision.second_authority',
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
export type Decision = {
  readonly transactionId: string;
  readonly corridor: string;
  /** Absent where endpoints do not choose by the verdict. */
  readonly verdict?: Verdict;
  readonly atMs: number;
  readonly json: string;
  /** Sent in place of `json` to endpoints of a client. */
  readonly clientJson?: string;
};

/** Things that hold for a while, such as alerts: the source is asked for all of them again and again. */
export type WatchedEvents = {
  readonly kind: 'watched';
  readonly type:
    | 'review.deadline_near'
    | 'alert.raised'
    | 'decision.second_authority'
    | 'approval.waiting';
  readonly find: (query: Query, nowMs: number) => Promise<readonly Event[]>;
};

/** Decisions with positions that ascend in the order of commits, so that none is left out behind a position. */
export type DecisionLog = {
  readonly kind: 'decisions';
  readonly type: 'transaction.final_decision';
  /** The oldest decisions after a position, at most so many. */
  readonly listAfter: (
    query: Query,
    position: string,
    rowsMax: number,
  ) => Promise<readonly (Decision & { readonly position: string })[]>;
};

/** Events that a commit stored, of which each is taken once. */
export type WaitingEvents = {
  readonly kind: 'waiting';
  readonly type: 'evidence.checkpoint';
  readonly has: (query: Query) => Promise<boolean>;
  /** Deletes the oldest events, at most so many. */
  readonly take: (query: Query, rowsMax: number) => Promise<readonly Event[]>;
};

export type EventSource = WatchedEvents | DecisionLog | WaitingEvents;

/** SQL: the webhook gets new events; those of a paused webhook wait. */
export const TAKES = 'disabled_at is null and deleted_at is null';

/** SQL: webhooks that take a type. Without one, a room stores no event of the type. */
export const takersOf = (type: EventType): string =>
  `from market.webhook_endpoints where '${type}' = any (event_types) and ${TAKES}`;
