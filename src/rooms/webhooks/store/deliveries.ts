/** Deliveries: one row a webhook and event, made by the database transaction that learns of the event. */
import { textArray, uuidArray } from '../../../kit/database/binary-array.ts';
import type { Query, Statement } from '../../../kit/database/pool.ts';
import { firstOf, timeColumns } from '../../../kit/database/statement.ts';
import type { Delivery, DeliveryListParameters, DeliveryType } from '../webhook.ts';

const COLUMNS = `d.delivery_id, d.event_id, d.event_type, d.decisions, d.state, d.attempts, d.response_status, d.error,
  ${timeColumns('d', 'created_at', 'next_at', 'last_at')}`;

export type NewDelivery = {
  readonly webhookId: string;
  /** Names the event: the same event has the same id, whenever it is found again. */
  readonly eventId: string;
  readonly eventType: DeliveryType;
  /** The body, byte for byte. */
  readonly payload: string;
  /** How many decisions the event lists. */
  readonly decisions: number | null;
};

const insertStatement: Statement = {
  name: 'insert-webhook-deliveries',
  text: `insert into market.webhook_deliveries as d (endpoint_id, event_id, event_type, payload, decisions, next_at)
         select endpoint_id, event_id, event_type, payload, decisions, now()
           from unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int2[])
             as n (endpoint_id, event_id, event_type, payload, decisions)
         on conflict (endpoint_id, event_id) do nothing
         returning ${COLUMNS}`,
};

/** Rows of one statement: an event may go to a hundred webhooks. */
const INSERT_ROWS = 2000;
/** Bodies of one statement, in characters, and one more body. */
const INSERT_CHARS = 2 * 1024 * 1024;

/** @returns those that are new */
export async function insertDeliveries(
  query: Query,
  deliveries: Iterable<NewDelivery>,
): Promise<Delivery[]> {
  const made: Delivery[] = [];
  for (const rows of inStatements(deliveries)) {
    const inserted = await query<Delivery>(insertStatement, [
      uuidArray(rows.map(({ webhookId }) => webhookId)),
      textArray(rows.map(({ eventId }) => eventId)),
      textArray(rows.map(({ eventType }) => eventType)),
      textArray(rows.map(({ payload }) => payload)),
      rows.map(({ decisions }) => decisions),
    ]);
    made.push(...inserted);
  }
  return made;
}

/** Bodies are made as they are needed, so that the bodies of one statement are in memory. */
function* inStatements(deliveries: Iterable<NewDelivery>): Generator<NewDelivery[]> {
  let rows: NewDelivery[] = [];
  let chars = 0;
  for (const delivery of deliveries) {
    rows.push(delivery);
    chars += delivery.payload.length;
    if (rows.length < INSERT_ROWS && chars < INSERT_CHARS) continue;
    yield rows;
    rows = [];
    chars = 0;
  }
  if (rows.length > 0) yield rows;
}

const knownStatement: Statement = {
  name: 'find-webhook-events',
  text: `select event_id as "eventId" from market.webhook_deliveries where endpoint_id = $1 and event_id = any ($2::text[])`,
};

/** The events, by id, of which the webhook has a delivery. */
export async function findKnownEvents(
  query: Query,
  webhookId: string,
  eventIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (eventIds.length === 0) return new Set();
  const rows = await query<{ eventId: string }>(knownStatement, [webhookId, eventIds]);
  return new Set(rows.map(({ eventId }) => eventId));
}

/** Newest first. */
export async function listDeliveries(
  query: Query,
  webhookId: string,
  { state, cursor, limit }: DeliveryListParameters,
): Promise<Delivery[]> {
  const values: unknown[] = [webhookId, limit];
  const parameter = (value: unknown) => `$${values.push(value)}`;
  const conditions = [
    ...(state === undefined ? [] : [`state = ${parameter(state)}`]),
    ...(cursor === undefined ? [] : [`delivery_id < ${parameter(cursor)}::int8`]),
  ].map((condition) => ` and ${condition}`);
  const text = `select ${COLUMNS} from market.webhook_deliveries d
                 where endpoint_id = $1${conditions.join('')} order by delivery_id desc limit $2`;
  return await query<Delivery>({ text }, values);
}

/** Makes a delivery due now, under the id of its event; undefined where the webhook has no such delivery. */
export const redeliver = firstOf<Delivery, [webhookId: string, deliveryId: string]>(
  'redeliver-webhook',
  `update market.webhook_deliveries d set state = 'waiting', attempts = 0, next_at = now()
          where endpoint_id = $1 and delivery_id = $2::int8 returning ${COLUMNS}`,
);
