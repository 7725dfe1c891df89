/** Deliveries: one row an endpoint and event, made by the database transaction that learns of the event. */
import { given } from '../../domain/describe-issue.ts';
import { Failure } from '../../domain/failure.ts';
import type {
  Delivery,
  DeliveryListParameters,
  DeliveryState,
  SentType,
} from '../../domain/webhook.ts';
import { textArray, uuidArray } from '../database/binary-array.ts';
import type { Query, Statement } from '../database/pool.ts';
import { UNNAMED } from '../partitions/month-slice.ts';
import { SENDS } from './endpoints.ts';

const COLUMNS = `delivery_id as "deliveryId", endpoint_id as "endpointId", event_id as "eventId",
  event_type as "eventType", created_at as "createdAt", state, attempts, next_at as "nextAt", last_at as "lastAt",
  response_status as "responseStatus", error`;

export type NewDelivery = {
  readonly endpointId: string;
  /** Names the event: the same event has the same id, whenever it is found again. */
  readonly eventId: string;
  readonly eventType: SentType;
  /** The body, byte for byte. */
  readonly payload: string;
};

const insertStatement: Statement = {
  name: 'insert-webhook-deliveries',
  text: `insert into market.webhook_deliveries (endpoint_id, event_id, event_type, payload, next_at)
         select endpoint_id, event_id, event_type, payload, now()
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[]) as n (endpoint_id, event_id, event_type, payload)
         on conflict (endpoint_id, event_id) do nothing
         returning ${COLUMNS}`,
};

/** Rows of one statement: an event may have a hundred endpoints. */
const INSERT_ROWS = 2000;

/** @returns those that are new */
export async function insertDeliveries(
  query: Query,
  deliveries: readonly NewDelivery[],
): Promise<Delivery[]> {
  const made: Delivery[] = [];
  for (let from = 0; from < deliveries.length; from += INSERT_ROWS) {
    const rows = deliveries.slice(from, from + INSERT_ROWS);
    const inserted = await query<Delivery>(insertStatement, [
      uuidArray(rows.map(({ endpointId }) => endpointId)),
      textArray(rows.map(({ eventId }) => eventId)),
      textArray(rows.map(({ eventType }) => eventType)),
      textArray(rows.map(({ payload }) => payload)),
    ]);
    made.push(...inserted);
  }
  return made;
}

const knownStatement: Statement = {
  name: 'find-webhook-events',
  text: `select event_id as "eventId" from market.webhook_deliveries where endpoint_id = $1 and event_id = any ($2::text[])`,
};

/** Those of the events that the endpoint has a delivery of. */
export async function findKnownEvents(
  query: Query,
  endpointId: string,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (eventIds.length === 0) return new Set();
  const rows = await query<{ eventId: string }>(knownStatement, [endpointId, eventIds]);
  return new Set(rows.map(({ eventId }) => eventId));
}

/** Newest first. */
export async function listDeliveries(
  { query }: { readonly query: Query },
  endpointId: string,
  { state, cursor, limit }: DeliveryListParameters,
): Promise<Delivery[]> {
  const values: unknown[] = [endpointId, limit];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = [
    ...(state === undefined ? [] : [`state = ${parameter(state)}`]),
    ...(cursor === undefined ? [] : [`delivery_id < ${parameter(cursor)}::int8`]),
  ].map((condition) => ` and ${condition}`);
  const text = `select ${COLUMNS} from market.webhook_deliveries
                 where endpoint_id = $1${conditions.join('')} order by delivery_id desc limit $2`;
  return await query<Delivery>({ name: UNNAMED, text }, values);
}

const againStatement: Statement = {
  name: 'redeliver-webhook',
  text: `update market.webhook_deliveries set state = 'waiting', attempts = 0, next_at = now()
          where endpoint_id = $1 and delivery_id = $2::int8 returning ${COLUMNS}`,
};

/** Makes a delivery due now, under the id of its event. @throws Failure `not-found` */
export async function redeliver(
  query: Query,
  endpointId: string,
  deliveryId: string,
): Promise<Delivery> {
  const [row] = await query<Delivery>(againStatement, [endpointId, deliveryId]);
  if (row !== undefined) return row;
  const why = `the webhook has no delivery ${given(deliveryId)}`;
  throw new Failure('not-found', 'DELIVERY_UNKNOWN', why);
}

// A row that another process sends is in the future or locked, so each row goes to one process.
const leaseStatement: Statement = {
  name: 'lease-webhook-deliveries',
  text: `with due as materialized (
           select d.delivery_id, e.url, e.secret, e.failing_since,
                  case when e.previous_until > now() then e.previous_secret end as previous_secret
             from market.webhook_endpoints e
             left join unnest($1::uuid[], $2::int4[]) as busy (endpoint_id, room) using (endpoint_id)
            cross join lateral (
              select delivery_id from market.webhook_deliveries d
               where d.endpoint_id = e.endpoint_id and d.state = 'waiting' and d.next_at <= now()
               order by d.next_at limit coalesce(busy.room, $3::int4) for update skip locked) d
            where ${SENDS})
         update market.webhook_deliveries d set next_at = now() + $4::int4 * interval '1 millisecond'
           from due where d.delivery_id = due.delivery_id
         returning d.delivery_id as "deliveryId", d.endpoint_id as "endpointId", d.event_id as "eventId", d.payload,
                   d.attempts, d.next_at as "leasedTo", due.url, due.secret, due.previous_secret as "previousSecret",
                   due.failing_since is not null as "isFailing"`,
};

/** A delivery that this process sends until `leasedTo`; another one may take it over from then on. */
export type LeasedDelivery = {
  readonly deliveryId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly payload: string;
  /** Those before this one. */
  readonly attempts: number;
  readonly leasedTo: Date;
  readonly url: string;
  readonly secret: string;
  readonly previousSecret: string | null;
  /** Whether nothing has been delivered to the endpoint since a failure. */
  readonly isFailing: boolean;
};

type Rooms = ReadonlyMap<string, number>;

/** @param rooms how many deliveries of endpoints that are busy here; `room` of any other */
export async function leaseDue(
  { query }: { readonly query: Query },
  rooms: Rooms,
  room: number,
  leaseMs: number,
): Promise<LeasedDelivery[]> {
  const busy = [[...rooms.keys()], [...rooms.values()]];
  return await query<LeasedDelivery>(leaseStatement, [...busy, room, leaseMs]);
}

const recordStatement: Statement = {
  name: 'record-webhook-attempts',
  text: `update market.webhook_deliveries d
            set state = n.state, attempts = d.attempts + 1, last_at = now(), response_status = n.status, error = n.error,
                next_at = case when n.state = 'waiting' then now() + n.wait_ms * interval '1 millisecond' end
           from unnest($1::int8[], $2::timestamptz[], $3::text[], $4::float8[], $5::int2[], $6::text[])
             as n (delivery_id, leased_to, state, wait_ms, status, error)
          where d.delivery_id = n.delivery_id and d.state = 'waiting'
            and (d.next_at = n.leased_to or n.state = 'delivered')`,
};

export type Attempt = {
  readonly delivery: LeasedDelivery;
  readonly state: DeliveryState;
  /** Until the next attempt; 0 after the last one. */
  readonly waitMs: number;
  readonly status: number | null;
  readonly error: string | null;
};

/** What came of attempts. One that failed after its lease had ended changes nothing: another process sends by then. */
export async function recordAttempts(query: Query, attempts: readonly Attempt[]): Promise<void> {
  await query(recordStatement, [
    attempts.map(({ delivery }) => delivery.deliveryId),
    attempts.map(({ delivery }) => delivery.leasedTo),
    attempts.map(({ state }) => state),
    attempts.map(({ waitMs }) => waitMs),
    attempts.map(({ status }) => status),
    attempts.map(({ error }) => error),
  ]);
}

const releaseStatement: Statement = {
  name: 'release-webhook-deliveries',
  text: `update market.webhook_deliveries d set next_at = now()
           from unnest($1::int8[], $2::timestamptz[]) as n (delivery_id, leased_to)
          where d.delivery_id = n.delivery_id and d.state = 'waiting' and d.next_at = n.leased_to`,
};

/** Gives back what was not sent. */
export async function releaseLeases(
  { query }: { readonly query: Query },
  deliveries: readonly LeasedDelivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  const ids = deliveries.map(({ deliveryId }) => deliveryId);
  await query(releaseStatement, [ids, deliveries.map(({ leasedTo }) => leasedTo)]);
}

const oldestStatement: Statement = {
  name: 'find-oldest-webhook-due',
  text: `select coalesce(extract(epoch from now() - min(next_at)), 0)::float8 as seconds
           from market.webhook_endpoints e
          cross join lateral (select next_at from market.webhook_deliveries d
                               where d.endpoint_id = e.endpoint_id and d.state = 'waiting' and d.next_at <= now()
                               order by next_at limit 1) d
          where ${SENDS}`,
};

/** For how long the oldest delivery is due; 0 where none is. */
export async function oldestDueSeconds({ query }: { readonly query: Query }): Promise<number> {
  return (await query<{ seconds: number }>(oldestStatement))[0]?.seconds ?? 0;
}
