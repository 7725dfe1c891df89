/** Endpoints of webhooks and their deliveries in the form of the API. */
import type { Delivery, DeliveryJson, Endpoint, WebhookJson } from './webhook.ts';

export function toWebhookJson(one: Endpoint): WebhookJson {
  return {
    webhook_id: one.endpointId,
    url: one.url,
    event_types: [...one.eventTypes],
    verdicts: [...one.verdicts],
    corridors: one.corridors && [...one.corridors],
    client: one.client,
    state: stateOf(one),
    disabled_at: one.disabledAt?.toISOString() ?? null,
    disabled_reason: one.disabledReason,
    failing_since: one.failingSince?.toISOString() ?? null,
    previous_secret_until: one.previousUntil?.toISOString() ?? null,
    created_at: one.createdAt.toISOString(),
    created_by: one.createdBy,
  };
}

function stateOf({ disabledAt, isPaused }: Endpoint): WebhookJson['state'] {
  if (disabledAt !== null) return 'disabled';
  return isPaused ? 'paused' : 'active';
}

export function toDeliveryJson(one: Delivery): DeliveryJson {
  return {
    delivery_id: one.deliveryId,
    event_id: one.eventId,
    event_type: one.eventType,
    decisions: one.decisions,
    created_at: one.createdAt.toISOString(),
    state: one.state,
    attempts: one.attempts,
    next_at: one.nextAt?.toISOString() ?? null,
    last_at: one.lastAt?.toISOString() ?? null,
    response_status: one.responseStatus,
    error: one.error,
  };
}
