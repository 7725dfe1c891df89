/** The webhooks that take an event, and the body that each webhook gets. */
import { v7 as uuidv7 } from 'uuid';
import type { Verdict } from '../../core/domain/score-record.ts';
import type { Event } from '../../core/events.ts';
import type { NewDelivery } from './store/deliveries.ts';
import { type DeliveryType, type Webhook as StoredWebhook, WEBHOOK_LIMITS } from './webhook.ts';

/** A decision about a transaction of a client, of which an event lists many. */
export type Decision = {
  readonly client: string | null;
  readonly corridor: string;
  /** Absent where endpoints do not choose by the verdict. */
  readonly verdict?: Verdict;
  readonly atMs: number;
  readonly json: string;
  /** Sent in place of `json` to endpoints of a client. */
  readonly clientJson?: string;
};

/** Types whose events list decisions, and how the ids of these events begin. */
const LISTS = {
  'transaction.decided': 'decided_',
  'transaction.final_decision': 'final_',
} as const;
type ListType = keyof typeof LISTS;

/** Type, timestamp and brackets around a list, and more. */
const ENVELOPE_BYTES = 128;

/** The members of a webhook by which it takes events. */
type Webhook = Pick<
  StoredWebhook,
  'webhook_id' | 'client' | 'event_types' | 'verdicts' | 'corridors'
>;

/** A delivery for each webhook that takes an event. */
export function match(webhooks: readonly Webhook[], events: readonly Event[]): NewDelivery[] {
  return events.flatMap((event) =>
    webhooks
      .filter((webhook) => takes(webhook, event.type, event))
      .map(({ webhook_id }) => toDelivery(webhook_id, event)),
  );
}

export function toDelivery(
  webhookId: string,
  { id, type, at, data }: Event<DeliveryType>,
): NewDelivery {
  const payload = toPayload(type, at, JSON.stringify(data));
  return { webhookId, eventId: id, eventType: type, payload, decisions: null };
}

/** Lists the decisions that each webhook takes, every decision once. */
export function* toLists(
  webhooks: readonly Webhook[],
  type: ListType,
  decisions: readonly Decision[],
): Generator<NewDelivery> {
  for (const webhook of webhooks) {
    const taken = decisions.filter((decision) => takes(webhook, type, decision));
    for (const list of divide(webhook, taken)) yield toList(webhook, type, list);
  }
}

type Listed = { readonly atMs: number; readonly json: string };

/** Begins a new list where one more decision would be too many, or too long. */
function* divide({ client }: Webhook, decisions: readonly Decision[]): Generator<Listed[]> {
  let list: Listed[] = [];
  let bytes = ENVELOPE_BYTES;
  for (const { atMs, json: whole, clientJson } of decisions) {
    const json = client === null ? whole : (clientJson ?? whole);
    const more = Buffer.byteLength(json) + 1;
    const isFull = list.length === WEBHOOK_LIMITS.eventDecisions;
    if (isFull || (list.length > 0 && bytes + more > WEBHOOK_LIMITS.eventBytes)) {
      yield list;
      list = [];
      bytes = ENVELOPE_BYTES;
    }
    list.push({ atMs, json });
    bytes += more;
  }
  if (list.length > 0) yield list;
}

/** The database transaction that stores a list makes it once, so the list may have a new id. */
function toList(
  { webhook_id: webhookId }: Webhook,
  type: ListType,
  list: readonly Listed[],
): NewDelivery {
  const at = new Date(Math.max(...list.map(({ atMs }) => atMs)));
  const texts = list.map(({ json }) => json).join(',');
  return {
    webhookId,
    eventId: `${LISTS[type]}${uuidv7()}`,
    eventType: type,
    payload: toPayload(type, at, `{"decisions":[${texts}]}`),
    decisions: list.length,
  };
}

function toPayload(type: DeliveryType, at: Date, data: string): string {
  return `{"type":"${type}","timestamp":"${at.toISOString()}","data":${data}}`;
}

type Chosen = {
  readonly client?: string | null;
  readonly corridor?: string;
  readonly verdict?: Verdict;
};

function takes(
  webhook: Webhook,
  type: DeliveryType,
  { client, corridor, verdict }: Chosen,
): boolean {
  const { client: own, corridors, verdicts, event_types: types } = webhook;
  return (
    types.some((known) => known === type) &&
    (own === null || own === client) &&
    (corridors === null || corridor === undefined || corridors.includes(corridor)) &&
    (verdict === undefined || verdicts.includes(verdict))
  );
}
