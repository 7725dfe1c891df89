/** Whether an endpoint takes what is sent: since when it fails, and when it is disabled. */
import { recordChanges } from '../../../kit/audit/audit-log.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { ENGINE, engineOf } from '../../../kit/words/principal.ts';
import { WEBHOOK_LIMITS } from '../webhook.ts';

const workedStatement: Statement = {
  name: 'note-webhook-success',
  text: `update market.webhook_endpoints set failing_since = null
          where endpoint_id = any ($1::uuid[]) and failing_since is not null`,
};
const failedStatement: Statement = {
  name: 'note-webhook-failure',
  text: `update market.webhook_endpoints set failing_since = now()
          where endpoint_id = any ($1::uuid[]) and failing_since is null`,
};

/** Locks nothing where nothing changes. */
export async function noteHealth(
  query: Query,
  worked: readonly string[],
  failed: readonly string[],
): Promise<void> {
  if (worked.length > 0) await query(workedStatement, [worked.toSorted()]);
  if (failed.length > 0) await query(failedStatement, [failed.toSorted()]);
}

const disableStatement: Statement = {
  name: 'disable-webhooks',
  text: `update market.webhook_endpoints e
            set disabled_at = now(), disabled_reason = case when endpoint_id = any ($1::uuid[]) then $3
                                                            else format('every delivery failed for %s days', $4::int4) end
          where disabled_at is null and deleted_at is null
            and (endpoint_id = any ($1::uuid[])
                 or endpoint_id = any ($2::uuid[]) and failing_since < now() - $4::int4 * interval '1 day')
         returning endpoint_id as "endpointId", disabled_reason as "disabledReason"`,
};

const GONE = 'it answered 410, gone';

/**
 * Disables endpoints that say that they are gone, and those of the failed ones that have failed for too long.
 * @returns how many were disabled
 */
export async function disableDead(
  query: Query,
  gone: readonly string[],
  failed: readonly string[],
  request: string,
): Promise<number> {
  const values = [gone, failed, GONE, WEBHOOK_LIMITS.failingDays];
  const disabled = await query<{ endpointId: string; disabledReason: string }>(
    disableStatement,
    values,
  );
  await recordChanges(
    query,
    engineOf(request),
    disabled.map(({ endpointId, disabledReason }) => ({
      ...{ action: 'webhook.disable', subject: endpointId, before: null },
      after: { disabledReason, by: ENGINE },
    })),
  );
  return disabled.length;
}
