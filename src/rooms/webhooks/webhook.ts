/** Webhooks: endpoints, the events they take, and deliveries, as the store and the API have them. */
import { z } from 'zod';
import { VERDICTS, type Verdict } from '../../core/domain/score-record.ts';
import { EVENT_TYPES, type EventType } from '../../core/events.ts';
import {
  CURSOR_DESCRIPTION,
  corridorParameter,
  pageLimit,
  shown,
} from '../../kit/words/list-parameters.ts';
import { plainText } from '../../kit/words/plain-text.ts';

/** Sent when somebody asks for it, whatever the endpoint takes. */
export const TEST_TYPE = 'webhook.test';
const SENT_TYPES = [...EVENT_TYPES, TEST_TYPE] as const;
export type SentType = (typeof SENT_TYPES)[number];

export const WEBHOOK_LIMITS = {
  /** Endpoints of a market: every event is compared with each. */
  endpoints: 100,
  /** Decisions of one event. */
  eventDecisions: 100,
  /** Body of an event that lists decisions. The least that is known of receivers is 100 kB, Express' default; nginx takes 1 MB. */
  eventBytes: 64 * 1024,
  urlChars: 2048,
  corridors: 200,
  clientChars: 64,
  /** How long the secret before the newest one signs, too. */
  rotationHours: 24,
  /** An endpoint of which every delivery has failed for so long is disabled. */
  failingDays: 5,
} as const;

/** Events of these types belong to one transaction, and so to its client. */
const CLIENT_TYPES: readonly EventType[] = ['transaction.decided', 'transaction.final_decision'];

export type Endpoint = {
  readonly endpointId: string;
  /** Null: the whole market's. */
  readonly client: string | null;
  readonly url: string;
  readonly eventTypes: readonly EventType[];
  readonly verdicts: readonly Verdict[];
  /** Null: all of them. */
  readonly corridors: readonly string[] | null;
  readonly isPaused: boolean;
  readonly createdAt: Date;
  readonly createdBy: string;
  /** Until then the secret before the newest one signs, too. */
  readonly previousUntil: Date | null;
  readonly failingSince: Date | null;
  readonly disabledAt: Date | null;
  readonly disabledReason: string | null;
};

const set = <T extends string>(names: readonly [T, ...T[]]) =>
  z
    .array(z.enum(names))
    .min(1)
    .max(names.length)
    .refine((given) => new Set(given).size === given.length, 'must name each once');

const url = z
  .string()
  .min(1)
  .max(WEBHOOK_LIMITS.urlChars)
  .meta({ description: 'https, to a public address.' });
const eventTypes = set(EVENT_TYPES);
const verdicts = set(VERDICTS).meta({
  description: 'Of transaction.decided: only these verdicts.',
});
const corridors = z
  .array(corridorParameter)
  .min(1)
  .max(WEBHOOK_LIMITS.corridors)
  .nullable()
  .meta({ description: 'Only these; null: all. alert.raised has no corridor and is sent anyway.' });

export const newWebhookSchema = z
  .strictObject({
    url,
    event_types: eventTypes,
    verdicts: verdicts.default(['review', 'decline']),
    corridors: corridors.default(null),
    client: plainText(WEBHOOK_LIMITS.clientChars).nullable().default(null).meta({
      description: 'Only transactions of this client; null: all of the market.',
    }),
  })
  .superRefine(({ client, event_types }, context) => {
    refuseMarketTypes(client, event_types, (message) =>
      context.addIssue({ code: 'custom', message, path: ['event_types'] }),
    );
  })
  .meta({ id: 'NewWebhook' });
export type NewWebhook = z.output<typeof newWebhookSchema>;

export const webhookChangeSchema = z
  .strictObject({
    url: url.optional(),
    event_types: eventTypes.optional(),
    verdicts: verdicts.optional(),
    corridors: corridors.optional(),
    paused: z.boolean().optional().meta({
      description: 'true: events wait; false: they are sent, also where the endpoint is disabled.',
    }),
  })
  .refine((given) => Object.keys(given).length > 0, 'must change something')
  .meta({ id: 'WebhookChange' });
export type WebhookChange = z.output<typeof webhookChangeSchema>;

/** An endpoint of a client hears of its own transactions alone. */
export function refuseMarketTypes(
  client: string | null,
  types: readonly EventType[],
  refuse: (message: string) => void,
): void {
  if (client === null || types.every((type) => CLIENT_TYPES.includes(type))) return;
  refuse(`must be of ${CLIENT_TYPES.join(' and ')} for an endpoint of a client`);
}

const ENDPOINT_STATES = ['active', 'paused', 'disabled'] as const;

export const webhookSchema = z
  .object({
    webhook_id: z.uuid(),
    url: z.string(),
    event_types: z.array(z.enum(EVENT_TYPES)),
    verdicts: z.array(z.enum(VERDICTS)),
    corridors: z.array(z.string()).nullable(),
    client: z.string().nullable(),
    state: z.enum(ENDPOINT_STATES).meta({
      description: 'Events of a paused endpoint wait; a disabled one gets none.',
    }),
    disabled_at: z.iso.datetime().nullable(),
    disabled_reason: z.string().nullable(),
    failing_since: z.iso
      .datetime()
      .nullable()
      .meta({
        description: `First failure since the last success; after ${WEBHOOK_LIMITS.failingDays} days it is disabled.`,
      }),
    previous_secret_until: z.iso.datetime().nullable().meta({
      description: 'Until then the secret before the newest one signs, too.',
    }),
    created_at: z.iso.datetime(),
    created_by: z.string(),
  })
  .meta({ id: 'Webhook' });
export type WebhookJson = z.infer<typeof webhookSchema>;

export const webhookWithSecretSchema = webhookSchema
  .extend({ secret: z.string().meta({ description: 'Shown this once; signs the events.' }) })
  .meta({ id: 'WebhookWithSecret' });

export const webhooksSchema = z
  .object({
    items: z.array(webhookSchema).meta({ description: `At most ${WEBHOOK_LIMITS.endpoints}.` }),
  })
  .meta({ id: 'Webhooks' });

export const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;
export type DeliveryState = (typeof DELIVERY_STATES)[number];

export type Delivery = {
  readonly deliveryId: string;
  readonly endpointId: string;
  readonly eventId: string;
  readonly eventType: SentType;
  /** How many the event lists; null: it is about something else. */
  readonly decisions: number | null;
  readonly createdAt: Date;
  readonly state: DeliveryState;
  readonly attempts: number;
  readonly nextAt: Date | null;
  readonly lastAt: Date | null;
  readonly responseStatus: number | null;
  readonly error: string | null;
};

export const deliverySchema = z
  .object({
    delivery_id: z.string().meta({ description: 'Ascends in the order in which events arose.' }),
    event_id: z.string().meta({ description: 'The header webhook-id, the same at every attempt.' }),
    event_type: z.enum(SENT_TYPES),
    decisions: z.int().nullable().meta({
      description: 'How many decisions the event lists; null for other types.',
    }),
    created_at: z.iso.datetime(),
    state: z.enum(DELIVERY_STATES).meta({ description: 'dead: it is not tried again by itself.' }),
    attempts: z.int().meta({ description: 'Since it arose, or was last sent again by hand.' }),
    next_at: z.iso.datetime().nullable(),
    last_at: z.iso.datetime().nullable(),
    response_status: z.int().nullable().meta({ description: 'Of the last attempt.' }),
    error: z.string().nullable().meta({ description: 'Of the last attempt, where none answered.' }),
  })
  .meta({ id: 'WebhookDelivery' });
export type DeliveryJson = z.infer<typeof deliverySchema>;

export const deliveriesSchema = z
  .object({ items: z.array(deliverySchema), next_cursor: z.string().nullable() })
  .meta({ id: 'WebhookDeliveries' });

export const DELIVERY_ID = /^[1-9]\d{0,17}$/;

/** `GET /v1/webhooks/{id}/deliveries?…` */
export const deliveryListParameters = z.strictObject({
  state: z.enum(DELIVERY_STATES).optional().meta({ description: 'Only this state.' }),
  limit: pageLimit,
  cursor: z
    .string()
    .regex(DELIVERY_ID, 'must be the next_cursor of this list')
    .optional()
    .meta(shown('41', CURSOR_DESCRIPTION)),
});
export type DeliveryListParameters = z.output<typeof deliveryListParameters>;
