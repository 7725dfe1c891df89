/** Which endpoints take an event, and the body that each is sent. */
import type { Verdict } from '../../domain/score-record.ts';
import type { Endpoint, SentType } from '../../domain/webhook.ts';
import type { NewDelivery } from '../../store/webhooks/deliveries.ts';

/** An event, with what endpoints choose it by. */
export type Event = {
  readonly id: string;
  readonly type: SentType;
  readonly at: Date;
  /** Client of its transaction; undefined for events of the market. */
  readonly client?: string | null;
  readonly corridor?: string;
  readonly verdict?: Verdict;
  readonly data: object;
  /** Sent in place of `data` to endpoints of a client. */
  readonly clientData?: object;
};

/** One delivery for each endpoint that takes an event. */
export function match(endpoints: readonly Endpoint[], events: readonly Event[]): NewDelivery[] {
  return events.flatMap((event) =>
    endpoints
      .filter((endpoint) => takes(endpoint, event))
      .map(({ endpointId, client }) => {
        const data = client === null ? event.data : (event.clientData ?? event.data);
        return toDelivery(endpointId, { ...event, data });
      }),
  );
}

export function toDelivery(endpointId: string, { id, type, at, data }: Event): NewDelivery {
  const payload = JSON.stringify({ type, timestamp: at.toISOString(), data });
  return { endpointId, eventId: id, eventType: type, payload };
}

function takes(endpoint: Endpoint, { type, client, corridor, verdict }: Event): boolean {
  const { client: own, corridors, verdicts, eventTypes } = endpoint;
  return (
    eventTypes.some((one) => one === type) &&
    (own === null || own === client) &&
    (corridors === null || corridor === undefined || corridors.includes(corridor)) &&
    (verdict === undefined || verdicts.includes(verdict))
  );
}
