/** States of webhooks and deliveries as coloured words, and what a webhook takes as text. */
import type { Webhook, WebhookDelivery } from '../../../../src/kit/client/api-types.ts';
import { Badge } from '../../parts/show.tsx';

export type Type = Webhook['event_types'][number];
export const DECIDED: Type = 'transaction.decided';

const WEBHOOK_LEVELS = { active: 'fine', paused: 'unknown', disabled: 'critical' } as const;

/** An active one of which everything fails is marked: it is disabled after some days. */
export function WebhookState({ webhook: { state, failing_since } }: { readonly webhook: Webhook }) {
  const isFailing = state === 'active' && failing_since !== null;
  return isFailing ? (
    <Badge level="warning">failing</Badge>
  ) : (
    <Badge level={WEBHOOK_LEVELS[state]}>{state}</Badge>
  );
}

const DELIVERY_LEVELS = { waiting: 'unknown', delivered: 'fine', dead: 'critical' } as const;

/** The state of a delivery; a delivery that waits after a failure is marked. */
export function DeliveryState({
  delivery: { state, attempts },
}: {
  readonly delivery: WebhookDelivery;
}) {
  const isRetried = state === 'waiting' && attempts > 0;
  return <Badge level={isRetried ? 'warning' : DELIVERY_LEVELS[state]}>{state}</Badge>;
}

/** `transaction.decided (review, decline), alert.raised` */
export function takes({ event_types, verdicts }: Webhook): string {
  return event_types
    .map((type) => (type === DECIDED ? `${type} (${verdicts.join(', ')})` : type))
    .join(', ');
}

export const corridorsOf = ({ corridors }: Webhook) => corridors?.join(', ') ?? 'all';

/** The result of the last attempt: the status of the answer, or why there was none. */
export const answerOf = ({ response_status: status, error }: WebhookDelivery) =>
  status === null ? (error ?? '–') : String(status);
