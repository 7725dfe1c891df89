/** Deliveries that are due: leased by the process that sends them, and what came of each attempt. */
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { onlyOf } from '../../../kit/database/statement.ts';
import type { Delivery } from '../webhook.ts';
import { SENDS } from './webhooks.ts';

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
         returning d.delivery_id as "deliveryId", d.endpoint_id as "webhookId", d.event_id as "eventId", d.payload,
                   d.attempts, d.next_at as "leasedTo", due.url, due.secret, due.previous_secret as "previousSecret",
                   due.failing_since is not null as "isFailing"`,
};

/** A delivery that this process sends until `leasedTo`; another process may send it from then on. */
export type LeasedDelivery = {
  readonly deliveryId: string;
  readonly webhookId: string;
  readonly eventId: string;
  readonly payload: string;
  /** Attempts before this one. */
  readonly attempts: number;
  readonly leasedTo: Date;
  readonly url: string;
  readonly secret: string;
  readonly previousSecret: string | null;
  /** Whether nothing has been delivered to the webhook since a failure. */
  readonly isFailing: boolean;
};

type Rooms = ReadonlyMap<string, number>;

/** @param rooms how many deliveries of webhooks that are busy here; any other webhook gets `room` */
export async function leaseDue(
  query: Query,
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
  readonly state: Delivery['state'];
  /** Until the next attempt; 0 after the last one. */
  readonly waitMs: number;
  readonly status: number | null;
  readonly error: string | null;
};

/** Records attempts. An attempt that failed after its lease had ended changes nothing: another process sends by then. */
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

/** Gives back deliveries that were not sent. */
export async function releaseLeases(
  query: Query,
  deliveries: readonly LeasedDelivery[],
): Promise<void> {
  if (deliveries.length === 0) return;
  const ids = deliveries.map(({ deliveryId }) => deliveryId);
  await query(releaseStatement, [ids, deliveries.map(({ leasedTo }) => leasedTo)]);
}

/** For how long the oldest delivery is due; 0 where none is. */
export const findOldestDue = onlyOf<{ seconds: number }>(
  'find-oldest-webhook-due',
  `select coalesce(extract(epoch from now() - min(next_at)), 0)::float8 as seconds
           from market.webhook_endpoints e
          cross join lateral (select next_at from market.webhook_deliveries d
                               where d.endpoint_id = e.endpoint_id and d.state = 'waiting' and d.next_at <= now()
                               order by next_at limit 1) d
          where ${SENDS}`,
);
