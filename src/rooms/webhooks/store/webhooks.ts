/** The table webhook_endpoints, a row a webhook. Secrets are in no list. */
import { TAKES } from '../../../core/events.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf, timeColumns, timeText } from '../../../kit/database/statement.ts';
import type { Delivery, NewWebhook, Webhook } from '../webhook.ts';

/** The events of the webhook are sent now. */
export const SENDS = `${TAKES} and not is_paused`;

const COLUMNS = `e.endpoint_id as webhook_id, e.client, e.url, e.event_types, e.verdicts, e.corridors,
  case when e.disabled_at is not null then 'disabled' when e.is_paused then 'paused' else 'active' end as state,
  ${timeColumns('e', 'created_at', 'failing_since', 'disabled_at')}, e.disabled_reason, e.created_by,
  case when e.previous_until > now() then ${timeText('e.previous_until')} end as previous_secret_until`;

const SELECT = `select ${COLUMNS} from market.webhook_endpoints e`;
const IS_KNOWN = 'e.endpoint_id = $1 and e.deleted_at is null';

/** Webhooks, oldest first. */
export const listWebhooks = rowsOf<Webhook>(
  'list-webhooks',
  `${SELECT} where e.deleted_at is null order by e.endpoint_id`,
);

/** Webhooks that get new events. */
export const listTakers = rowsOf<Webhook>(
  'list-webhook-takers',
  `${SELECT} where ${TAKES} order by e.endpoint_id`,
);

export const findWebhook = firstOf<Webhook, [id: string]>(
  'read-webhook',
  `${SELECT} where ${IS_KNOWN}`,
);
export const lockWebhook = firstOf<Webhook, [id: string]>(
  'lock-webhook',
  `${SELECT} where ${IS_KNOWN} for update`,
);

/** Lets no other database transaction add a webhook, so that a bound on their number holds. */
export const lockWebhooks = rowsOf(
  'lock-webhooks',
  'lock table market.webhook_endpoints in share row exclusive mode',
);

const insert = onlyOf<Webhook, readonly unknown[]>(
  'insert-webhook',
  `insert into market.webhook_endpoints as e (endpoint_id, client, url, event_types, verdicts, corridors, secret, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, 'database role ' || current_user)) returning ${COLUMNS}`,
);

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

export const insertWebhook = (
  query: Query,
  id: string,
  { client, url, event_types, verdicts, corridors }: NewWebhook,
  sealed: string,
  by: string | null,
): Promise<Webhook> => insert(query, id, client, url, event_types, verdicts, corridors, sealed, by);

/** Changes the webhook $1, whose row is locked. */
const update = <Given extends readonly unknown[]>(name: string, changes: string) =>
  onlyOf<Webhook, readonly [id: string, ...Given]>(
    name,
    `update market.webhook_endpoints e set ${changes} where e.endpoint_id = $1 returning ${COLUMNS}`,
  );

/** Undefined leaves a column as it is; a webhook that is no more paused is enabled, too. */
export const changeWebhook = update<readonly unknown[]>(
  'change-webhook',
  `url = coalesce($2, e.url), event_types = coalesce($3, e.event_types), verdicts = coalesce($4, e.verdicts),
   corridors = case when $5::boolean then $6 else e.corridors end, is_paused = coalesce($7::boolean, e.is_paused),
   disabled_at = case when not $7 then null else e.disabled_at end,
   disabled_reason = case when not $7 then null else e.disabled_reason end,
   failing_since = case when not $7 then null else e.failing_since end`,
);

/** The present secret signs beside the new one for some hours. */
export const rotateSecret = update<[sealed: string, hours: number]>(
  'rotate-webhook-secret',
  `previous_secret = e.secret, previous_until = now() + $3::int4 * interval '1 hour', secret = $2`,
);

/** Nothing is sent to the webhook any more, and its secrets are gone; its deliveries end with their retention. */
export const deleteWebhook = update<[]>(
  'delete-webhook',
  'deleted_at = now(), secret = null, previous_secret = null, previous_until = null',
);

const noteSuccess = rowsOf<object, [ids: readonly string[]]>(
  'note-webhook-success',
  `update market.webhook_endpoints set failing_since = null
          where endpoint_id = any ($1::uuid[]) and failing_since is not null`,
);
const noteFailure = rowsOf<object, [ids: readonly string[]]>(
  'note-webhook-failure',
  `update market.webhook_endpoints set failing_since = now()
          where endpoint_id = any ($1::uuid[]) and failing_since is null`,
);

/** Notes since when webhooks fail. Locks nothing where nothing changes. */
export async function noteHealth(
  query: Query,
  worked: readonly string[],
  failed: readonly string[],
): Promise<void> {
  if (worked.length > 0) await noteSuccess(query, worked.toSorted());
  if (failed.length > 0) await noteFailure(query, failed.toSorted());
}

/** Disables webhooks that say that they are gone, and those of the failed ones that have failed for so many days. */
export const disableDead = rowsOf<
  { id: string; reason: string },
  [gone: readonly string[], failed: readonly string[], days: number]
>(
  'disable-webhooks',
  `update market.webhook_endpoints e
            set disabled_at = now(), disabled_reason = case when endpoint_id = any ($1::uuid[]) then 'it answered 410, gone'
                                                            else format('every delivery failed for %s days', $3::int4) end
          where disabled_at is null and deleted_at is null
            and (endpoint_id = any ($1::uuid[])
                 or endpoint_id = any ($2::uuid[]) and failing_since < now() - $3::int4 * interval '1 day')
         returning endpoint_id as id, disabled_reason as reason`,
);

export const countDisabled = onlyOf<{ disabled: number }>(
  'count-disabled-webhooks',
  `select count(*)::int4 as disabled from market.webhook_endpoints
          where disabled_at is not null and deleted_at is null`,
);

/**
 * Deliveries that are due: leased by the process that sends them, and what came of each attempt.
 * @param rooms how many deliveries of webhooks that are busy here; any other webhook gets `room`
 */
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
