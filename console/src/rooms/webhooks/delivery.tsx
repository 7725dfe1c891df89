/** A delivery: when it was tried, what came of it, and the way to send it again. */
import type { Webhook, WebhookDelivery } from '../../../../src/kit/client/api-types.ts';
import { count } from '../../format.ts';
import { Dialog } from '../../parts/dialog.tsx';
import { Facts, Id, Time } from '../../parts/show.tsx';
import { Trouble } from '../../parts/states.tsx';
import { DeliveryState } from './marks.tsx';
import { useRedeliver } from './use-redeliver.ts';

type DeliveryProps = {
  readonly webhook: Webhook;
  readonly delivery: WebhookDelivery;
  readonly onChange: (delivery: WebhookDelivery) => void;
  readonly onClose: () => void;
};

export function Delivery({ webhook, delivery, onChange, onClose }: DeliveryProps) {
  const redeliver = useRedeliver(webhook.webhook_id);
  const { state, response_status: status } = delivery;
  return (
    <Dialog title="Delivery" onClose={onClose}>
      <Facts
        rows={[
          ['Event', delivery.event_type],
          ['Decisions in it', delivery.decisions === null ? null : count(delivery.decisions)],
          ['State', <DeliveryState key="state" delivery={delivery} />],
          ['Attempts', count(delivery.attempts)],
          ['Last answer', status],
          ['Why there was none', delivery.error],
          ['Last attempt', <Time key="last" at={delivery.last_at} />],
          ['Next attempt', <Time key="next" at={state === 'waiting' ? delivery.next_at : null} />],
          ['Arose', <Time key="arose" at={delivery.created_at} />],
          ['Number', delivery.delivery_id],
        ]}
      />
      <p>
        <span className="muted small">Its id, the same at every attempt:</span>{' '}
        <Id id={delivery.event_id} />
      </p>
      {redeliver.error === null ? null : <Trouble error={redeliver.error} />}
      {redeliver.data === undefined ? null : (
        <output className="notice">It is due now, and its attempts begin anew.</output>
      )}
      {webhook.state === 'disabled' ? null : (
        <div className="row">
          <button
            type="button"
            className="primary"
            disabled={redeliver.isPending}
            onClick={() => redeliver.mutate(delivery, { onSuccess: onChange })}
          >
            Redeliver
          </button>
        </div>
      )}
    </Dialog>
  );
}
