/** Actions of people on webhooks. Each change is audited by the commit that makes it; a secret is in no row of the audit. */
import { randomUUID } from 'node:crypto';
import { v7 as uuidv7 } from 'uuid';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import type { AuditAction } from '../../kit/words/audit.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { Failure } from '../../kit/words/failure.ts';
import { InvalidFields } from '../../kit/words/field-errors.ts';
import type { Actor } from '../../kit/words/principal.ts';
import { makeSecret, type SealKeys, sealSecret } from './deliver/secret.ts';
import type { Targets } from './deliver/target.ts';
import { toDelivery } from './match-events.ts';
import { insertDeliveries, listDeliveries, redeliver } from './store/deliveries.ts';
import * as store from './store/webhooks.ts';
import {
  type Delivery,
  type DeliveryListParameters,
  type NewWebhook,
  refuseMarketTypes,
  TEST_TYPE,
  WEBHOOK_LIMITS,
  type Webhook,
  type WebhookChange,
  type WebhookWithSecret,
} from './webhook.ts';

type Changing = Pick<Database, 'transaction'>;

/** @throws Failure `not-found` */
export async function readWebhook(query: Query, id: string): Promise<Webhook> {
  return known(await store.findWebhook(query, id), id);
}

function known(webhook: Webhook | undefined, id: string): Webhook {
  if (webhook !== undefined) return webhook;
  throw new Failure('not-found', 'WEBHOOK_UNKNOWN', `no webhook has the id ${given(id)}`);
}

/** @returns the webhook with its secret, which nobody is shown again */
export async function createWebhook(
  database: Changing,
  { check }: Pick<Targets, 'check'>,
  keys: SealKeys,
  wanted: NewWebhook,
  by: Actor,
): Promise<WebhookWithSecret> {
  await check(wanted.url);
  const [secret, id] = [makeSecret(), uuidv7()];
  return await database.transaction(async (query) => {
    await store.lockWebhooks(query);
    if ((await store.listWebhooks(query)).length >= WEBHOOK_LIMITS.webhooks) {
      const why = `there are ${WEBHOOK_LIMITS.webhooks} webhooks, the most that are allowed`;
      throw new Failure('conflict', 'WEBHOOKS_FULL', why);
    }
    const sealed = sealSecret(keys, secret, id);
    const after = await store.insertWebhook(query, id, wanted, sealed, by.name);
    await recordChange(query, by, { action: 'webhook.create', subject: id, before: null, after });
    return { ...after, secret };
  });
}

async function change(
  database: Changing,
  id: string,
  by: Actor,
  action: AuditAction,
  work: (query: Query, before: Webhook) => Promise<Webhook>,
): Promise<Webhook> {
  return await database.transaction(async (query) => {
    const before = known(await store.lockWebhook(query, id), id);
    const after = await work(query, before);
    await recordChange(query, by, { action, subject: id, before, after });
    return after;
  });
}

export async function changeWebhook(
  database: Changing,
  { check }: Pick<Targets, 'check'>,
  id: string,
  { url, event_types, verdicts, corridors, paused }: WebhookChange,
  by: Actor,
): Promise<Webhook> {
  if (url !== undefined) await check(url);
  return await change(database, id, by, 'webhook.change', (query, before) => {
    refuseMarketTypes(before.client, event_types ?? before.event_types, (detail) => {
      throw new InvalidFields([{ pointer: '/event_types', detail }]);
    });
    const values = [url, event_types, verdicts, corridors !== undefined, corridors, paused];
    return store.changeWebhook(query, id, ...values);
  });
}

export async function rotateSecret(
  database: Changing,
  keys: SealKeys,
  id: string,
  by: Actor,
): Promise<WebhookWithSecret> {
  const secret = makeSecret();
  const sealed = sealSecret(keys, secret, id);
  const rotated = await change(database, id, by, 'webhook.rotate', (query) =>
    store.rotateSecret(query, id, sealed, WEBHOOK_LIMITS.rotationHours),
  );
  return { ...rotated, secret };
}

export async function deleteWebhook(database: Changing, id: string, by: Actor): Promise<void> {
  await change(database, id, by, 'webhook.delete', (query) => store.deleteWebhook(query, id));
}

export async function sendTest(database: Changing, id: string, by: Actor): Promise<Delivery> {
  return await database.transaction(async (query) => {
    refuseDisabled(await readWebhook(query, id));
    const event = {
      type: TEST_TYPE,
      id: `test_${randomUUID()}`,
      at: new Date(),
      data: {},
    } as const;
    const [made] = await insertDeliveries(query, [toDelivery(id, event)]);
    if (made === undefined) throw new Error('an event of a new id was there before');
    const after = { deliveryId: made.delivery_id };
    await recordChange(query, by, { action: 'webhook.test', subject: id, before: null, after });
    return made;
  });
}

export async function redeliverEvent(
  database: Changing,
  id: string,
  deliveryId: string,
  by: Actor,
): Promise<Delivery> {
  return await database.transaction(async (query) => {
    refuseDisabled(await readWebhook(query, id));
    const again = await redeliver(query, id, deliveryId);
    if (again === undefined) {
      const why = `the webhook has no delivery ${given(deliveryId)}`;
      throw new Failure('not-found', 'DELIVERY_UNKNOWN', why);
    }
    const after = { deliveryId, eventId: again.event_id };
    await recordChange(query, by, {
      action: 'webhook.redeliver',
      subject: id,
      before: null,
      after,
    });
    return again;
  });
}

function refuseDisabled({ disabled_reason: reason }: Webhook): void {
  if (reason === null) return;
  const why = `the webhook is disabled: ${reason}; change it to paused: false first`;
  throw new Failure('conflict', 'WEBHOOK_DISABLED', why);
}

export async function listDeliveriesOf(
  query: Query,
  id: string,
  parameters: DeliveryListParameters,
): Promise<Delivery[]> {
  await readWebhook(query, id);
  return await listDeliveries(query, id, parameters);
}
