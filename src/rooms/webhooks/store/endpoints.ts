/** Endpoints of webhooks. A change and its row in the audit log are one commit; secrets are in neither log nor list. */
import { v7 as uuidv7 } from 'uuid';
import { recordChange } from '../../../kit/audit/audit-log.ts';
import type { Database, Query, Statement } from '../../../kit/database/pool.ts';
import type { AuditAction } from '../../../kit/words/audit.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { Failure } from '../../../kit/words/failure.ts';
import type { Actor } from '../../../kit/words/principal.ts';
import { type Endpoint, type NewWebhook, WEBHOOK_LIMITS } from '../webhook.ts';

/** The endpoint gets new events; those of a paused one wait. */
export const TAKES = 'disabled_at is null and deleted_at is null';
/** The events of the endpoint are sent now. */
export const SENDS = `${TAKES} and not is_paused`;

const COLUMNS = `endpoint_id as "endpointId", client, url, event_types as "eventTypes", verdicts, corridors,
  is_paused as "isPaused", created_at as "createdAt", created_by as "createdBy",
  case when previous_until > now() then previous_until end as "previousUntil", failing_since as "failingSince",
  disabled_at as "disabledAt", disabled_reason as "disabledReason"`;

const listStatement: Statement = {
  name: 'list-webhooks',
  text: `select ${COLUMNS} from market.webhook_endpoints where deleted_at is null order by endpoint_id`,
};
const takersStatement: Statement = {
  name: 'list-webhook-takers',
  text: `select ${COLUMNS} from market.webhook_endpoints where ${TAKES} order by endpoint_id`,
};
const readStatement: Statement = {
  name: 'read-webhook',
  text: `select ${COLUMNS} from market.webhook_endpoints where endpoint_id = $1 and deleted_at is null`,
};
const lockStatement: Statement = { name: 'lock-webhook', text: `${readStatement.text} for update` };

type Queries = { readonly query: Query };

/** All of them, oldest first. */
export async function listEndpoints({ query }: Queries): Promise<Endpoint[]> {
  return await query<Endpoint>(listStatement);
}

/** Endpoints that get new events. */
export async function listTakers(query: Query): Promise<Endpoint[]> {
  return await query<Endpoint>(takersStatement);
}

export async function findEndpoint({ query }: Queries, id: string): Promise<Endpoint | undefined> {
  return (await query<Endpoint>(readStatement, [id]))[0];
}

export function unknownEndpoint(id: string): Failure {
  return new Failure('not-found', 'WEBHOOK_UNKNOWN', `no webhook has the id ${given(id)}`);
}

// Two that are made at once wait for one another here, so that the bound holds.
const boundStatement: Statement = {
  name: 'lock-webhooks',
  text: 'lock table market.webhook_endpoints in share row exclusive mode',
};
const insertStatement: Statement = {
  name: 'insert-webhook',
  text: `insert into market.webhook_endpoints (endpoint_id, client, url, event_types, verdicts, corridors, secret, created_by)
         values ($1, $2, $3, $4, $5, $6, $7, coalesce($8, 'database role ' || current_user)) returning ${COLUMNS}`,
};

/** @param seal makes what is stored of the secret */
export async function insertEndpoint(
  database: Pick<Database, 'transaction'>,
  { client, url, event_types, verdicts, corridors }: NewWebhook,
  seal: (endpointId: string) => string,
  by: Actor,
): Promise<Endpoint> {
  return await database.transaction(async (query) => {
    await query(boundStatement);
    if ((await listEndpoints({ query })).length >= WEBHOOK_LIMITS.endpoints) {
      const why = `there are ${WEBHOOK_LIMITS.endpoints} webhooks, the most that are allowed`;
      throw new Failure('conflict', 'WEBHOOKS_FULL', why);
    }
    const id = uuidv7();
    const values = [id, client, url, event_types, verdicts, corridors, seal(id), by.name];
    const made = only(await query<Endpoint>(insertStatement, values));
    await recordChange(query, by, {
      ...{ action: 'webhook.create', subject: id, before: null, after: made },
    });
    return made;
  });
}

/**
 * Changes an endpoint and records it. @throws Failure `not-found`
 * @param statement sets columns of the endpoint $1, and returns it
 */
async function change(
  database: Pick<Database, 'transaction'>,
  id: string,
  by: Actor,
  action: AuditAction,
  step: (before: Endpoint) => { readonly statement: Statement; readonly values: unknown[] },
): Promise<Endpoint> {
  return await database.transaction(async (query) => {
    const [before] = await query<Endpoint>(lockStatement, [id]);
    if (before === undefined) throw unknownEndpoint(id);
    const { statement, values } = step(before);
    const after = only(await query<Endpoint>(statement, [id, ...values]));
    await recordChange(query, by, { action, subject: id, before, after });
    return after;
  });
}

const changeStatement: Statement = {
  name: 'change-webhook',
  text: `update market.webhook_endpoints
            set url = $2, event_types = $3, verdicts = $4, corridors = $5, is_paused = $6,
                disabled_at = case when $7 then null else disabled_at end,
                disabled_reason = case when $7 then null else disabled_reason end,
                failing_since = case when $7 then null else failing_since end
          where endpoint_id = $1 returning ${COLUMNS}`,
};

export type EndpointChange = Pick<
  Endpoint,
  'url' | 'eventTypes' | 'verdicts' | 'corridors' | 'isPaused'
> & {
  /** Ends a disablement. */
  readonly isEnabled: boolean;
};

/** @param changed what the endpoint is to be; it throws where it may not be that */
export async function changeEndpoint(
  database: Pick<Database, 'transaction'>,
  id: string,
  changed: (before: Endpoint) => EndpointChange,
  by: Actor,
): Promise<Endpoint> {
  return await change(database, id, by, 'webhook.change', (before) => {
    const { url, eventTypes, verdicts, corridors, isPaused, isEnabled } = changed(before);
    const values = [url, eventTypes, verdicts, corridors, isPaused, isEnabled];
    return { statement: changeStatement, values };
  });
}

const rotateStatement: Statement = {
  name: 'rotate-webhook-secret',
  text: `update market.webhook_endpoints
            set previous_secret = secret, previous_until = now() + $3::int4 * interval '1 hour', secret = $2
          where endpoint_id = $1 returning ${COLUMNS}`,
};

/** Puts a new secret in the place of the present one, which signs beside it for a while. */
export async function rotateSecret(
  database: Pick<Database, 'transaction'>,
  id: string,
  sealed: string,
  by: Actor,
): Promise<Endpoint> {
  return await change(database, id, by, 'webhook.rotate', () => ({
    ...{ statement: rotateStatement, values: [sealed, WEBHOOK_LIMITS.rotationHours] },
  }));
}

const deleteStatement: Statement = {
  name: 'delete-webhook',
  text: `update market.webhook_endpoints
            set deleted_at = now(), secret = null, previous_secret = null, previous_until = null
          where endpoint_id = $1 returning ${COLUMNS}`,
};

/** Nothing is sent to it any more, and its secrets are gone; its deliveries end with their retention. */
export async function deleteEndpoint(
  database: Pick<Database, 'transaction'>,
  id: string,
  by: Actor,
): Promise<void> {
  await change(database, id, by, 'webhook.delete', () => ({
    ...{ statement: deleteStatement, values: [] },
  }));
}

const countStatement: Statement = {
  name: 'count-disabled-webhooks',
  text: `select count(*)::int4 as disabled from market.webhook_endpoints
          where disabled_at is not null and deleted_at is null`,
};

export async function countDisabled({ query }: Queries): Promise<number> {
  return only(await query<{ disabled: number }>(countStatement)).disabled;
}

function only<Row>([row]: readonly Row[]): Row {
  if (row === undefined) throw new Error('a row that was locked is gone');
  return row;
}
