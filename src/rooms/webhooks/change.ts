/** What people do with webhooks, bound to the database for the API. Each change is audited by the commit that makes it. */
import { randomUUID } from 'node:crypto';
import type { Event } from '../../core/events.ts';
import { recordChange } from '../../kit/audit/audit-log.ts';
import type { Database, Query } from '../../kit/database/pool.ts';
import { Failure } from '../../kit/words/failure.ts';
import { InvalidFields } from '../../kit/words/field-error.ts';
import type { Actor } from '../../kit/words/principal.ts';
import type { Seal } from './deliver/seal-secret.ts';
import { makeSecret } from './deliver/sign-event.ts';
import type { Targets } from './deliver/target.ts';
import { toDelivery } from './match-events.ts';
import { insertDeliveries, listDeliveries, redeliver } from './store/deliveries.ts';
import * as store from './store/endpoints.ts';
import {
  type DeliveryListParameters,
  type Endpoint,
  type NewWebhook,
  refuseMarketTypes,
  TEST_TYPE,
  type WebhookChange,
} from './webhook.ts';
import { toDeliveryJson, toWebhookJson } from './webhook-json.ts';

export type Webhooks = ReturnType<typeof createWebhooks>;

/** Each function throws a Failure: `not-found`, `conflict`, or InvalidFields for a URL that may not be a webhook's. */
export function createWebhooks(
  database: Pick<Database, 'query' | 'transaction'>,
  targets: Pick<Targets, 'check'>,
  seal: Pick<Seal, 'seal'>,
) {
  const find = async (id: string, { query }: { readonly query: Query } = database) => {
    const endpoint = await store.findEndpoint({ query }, id);
    if (endpoint === undefined) throw store.unknownEndpoint(id);
    return endpoint;
  };
  return {
    list: async () => ({ items: (await store.listEndpoints(database)).map(toWebhookJson) }),
    read: async (id: string) => toWebhookJson(await find(id)),
    /** @returns the endpoint with its secret, which nobody is shown again */
    create: async (wanted: NewWebhook, by: Actor) => {
      await targets.check(wanted.url);
      const secret = makeSecret();
      const sealFor = (id: string) => seal.seal(secret, id);
      const made = await store.insertEndpoint(database, wanted, sealFor, by);
      return { ...toWebhookJson(made), secret };
    },
    change: async (id: string, wanted: WebhookChange, by: Actor) => {
      if (wanted.url !== undefined) await targets.check(wanted.url);
      const changed = (before: Endpoint) => applyChange(before, wanted);
      return toWebhookJson(await store.changeEndpoint(database, id, changed, by));
    },
    rotate: async (id: string, by: Actor) => {
      const secret = makeSecret();
      const rotated = await store.rotateSecret(database, id, seal.seal(secret, id), by);
      return { ...toWebhookJson(rotated), secret };
    },
    remove: (id: string, by: Actor) => store.deleteEndpoint(database, id, by),
    sendTest: (id: string, by: Actor) =>
      database.transaction(async (query) => {
        refuseDisabled(await find(id, { query }));
        const event: Event<typeof TEST_TYPE> = {
          type: TEST_TYPE,
          id: `test_${randomUUID()}`,
          at: new Date(),
          data: {},
        };
        const [made] = await insertDeliveries(query, [toDelivery(id, event)]);
        if (made === undefined) throw new Error('an event of a new id was there before');
        const after = { deliveryId: made.deliveryId };
        await recordChange(query, by, { action: 'webhook.test', subject: id, before: null, after });
        return toDeliveryJson(made);
      }),
    listDeliveries: async (id: string, parameters: DeliveryListParameters) => {
      await find(id);
      const rows = await listDeliveries(database, id, parameters);
      const last = rows.length === parameters.limit ? rows.at(-1) : undefined;
      return { items: rows.map(toDeliveryJson), next_cursor: last?.deliveryId ?? null };
    },
    redeliver: (id: string, deliveryId: string, by: Actor) =>
      database.transaction(async (query) => {
        refuseDisabled(await find(id, { query }));
        const again = await redeliver(query, id, deliveryId);
        const after = { deliveryId, eventId: again.eventId };
        await recordChange(query, by, {
          ...{ action: 'webhook.redeliver', subject: id, before: null, after },
        });
        return toDeliveryJson(again);
      }),
  };
}

function refuseDisabled({ disabledReason }: Endpoint): void {
  if (disabledReason === null) return;
  const why = `the webhook is disabled: ${disabledReason}; change it to paused: false first`;
  throw new Failure('conflict', 'WEBHOOK_DISABLED', why);
}

function applyChange(
  before: Endpoint,
  { url, event_types, verdicts, corridors, paused }: WebhookChange,
): store.EndpointChange {
  const eventTypes = event_types ?? before.eventTypes;
  refuseMarketTypes(before.client, eventTypes, (detail) => {
    throw new InvalidFields([{ pointer: '/event_types', detail }]);
  });
  return {
    ...{ url: url ?? before.url, eventTypes, verdicts: verdicts ?? before.verdicts },
    corridors: corridors === undefined ? before.corridors : corridors,
    ...{ isPaused: paused ?? before.isPaused, isEnabled: paused === false },
  };
}
