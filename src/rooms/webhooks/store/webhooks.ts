/** The table webhook_endpoints, a row a webhook. Secrets are in no list. */
import { TAKES } from '../../../core/events.ts';
import type { Query } from '../../../kit/database/pool.ts';
import { firstOf, onlyOf, rowsOf } from '../../../kit/database/statement.ts';
import { timeColumns, timeText } from '../../../kit/database/time-text.ts';
import type { NewWebhook, Webhook } from '../webhook.ts';

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
