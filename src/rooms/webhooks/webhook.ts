/** Webhooks and deliveries of their events, as they are stored, answered and asked for. */
import { z } from 'zod';
import { VERDICTS } from '../../core/domain/score-record.ts';
import { EVENT_TYPES, type EventType } from '../../core/events.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { InvalidFields, jsonPointer } from '../../kit/words/field-errors.ts';
import { corridorParameter, countedPage } from '../../kit/words/list-parameters.ts';
import { nearestName } from '../../kit/words/nearest-name.ts';
import { idText } from '../../kit/words/plain-text.ts';

/** Sent when somebody asks for it, whatever the webhook takes. */
export const TEST_TYPE = 'webhook.test';
const DELIVERY_TYPES = [...EVENT_TYPES, TEST_TYPE] as const;
export type DeliveryType = (typeof DELIVERY_TYPES)[number];

export const WEBHOOK_LIMITS = {
  /** Webhooks of a market: every event is compared with each. */
  webhooks: 100,
  /** Decisions of one event. */
  eventDecisions: 100,
  /** Body of an event that lists decisions. The least that is known of receivers is 100 kB, Express' default; nginx takes 1 MB. */
  eventBytes: 64 * 1024,
  urlChars: 2048,
  corridors: 200,
  clientChars: 64,
  /** How long the secret before the newest one signs, too. */
  rotationHours: 24,
  /** A webhook of which every delivery has failed for so long is disabled. */
  failingDays: 5,
} as const;

/** Events of these types belong to one transaction, and so to its client. */
const CLIENT_TYPES: readonly EventType[] = ['transaction.decided', 'transaction.final_decision'];

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
const corridors = z.array(corridorParameter).min(1).max(WEBHOOK_LIMITS.corridors).nullable().meta({
  description:
    'Only these; null: all. alert.raised and evidence.checkpoint have none and are sent anyway.',
});

export const newWebhookSchema = z
  .strictObject({
    url,
    event_types: eventTypes,
    verdicts: verdicts.default(['review', 'decline']),
    corridors: corridors.default(null),
    client: idText(WEBHOOK_LIMITS.clientChars).nullable().default(null).meta({
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

/** A webhook of a client hears of its own transactions alone. */
export function refuseMarketTypes(
  client: string | null,
  types: readonly EventType[],
  refuse: (message: string) => void,
): void {
  if (client === null || types.every((type) => CLIENT_TYPES.includes(type))) return;
  refuse(`must be of ${CLIENT_TYPES.join(' and ')} for an endpoint of a client`);
}

/** A webhook of an unknown corridor would never be sent anything. @throws InvalidFields that name the nearest corridors */
export function refuseUnknownCorridors(
  asked: readonly string[] | null | undefined,
  known: ReadonlySet<string>,
): void {
  const errors = (asked ?? []).flatMap((corridor, index) => {
    if (known.has(corridor)) return [];
    const nearest = nearestName(corridor, [...known]);
    const hint = nearest === undefined ? '' : `; ${nearest} is one`;
    const detail = `must be a corridor of GET /v1/corridors, not ${given(corridor)}${hint}`;
    return [{ pointer: jsonPointer(['corridors', index]), detail }];
  });
  if (errors.length > 0) throw new InvalidFields(errors);
}

export const WEBHOOK_ID = '019aa5c1-2f00-7000-8000-00000000002a';
const time = z.iso.datetime();

export const webhookSchema = z
  .object({
    webhook_id: z.uuid().meta({ example: WEBHOOK_ID }),
    url: z.string(),
    event_types: z.array(z.enum(EVENT_TYPES)),
    verdicts: z.array(z.enum(VERDICTS)),
    corridors: z.array(z.string()).nullable(),
    client: z.string().nullable(),
    state: z.enum(['active', 'paused', 'disabled']).meta({
      description: 'Events of a paused endpoint wait; a disabled one gets none.',
    }),
    disabled_at: time.nullable(),
    disabled_reason: z.string().nullable(),
    failing_since: time.nullable().meta({
      description: `First failure since the last success; after ${WEBHOOK_LIMITS.failingDays} days it is disabled.`,
    }),
    previous_secret_until: time.nullable().meta({
      description: 'Until then the secret before the newest one signs, too.',
    }),
    created_at: time,
    created_by: z.string(),
  })
  .meta({ id: 'Webhook' });
export type Webhook = z.infer<typeof webhookSchema>;

export const webhookWithSecretSchema = webhookSchema
  .extend({
    secret: z.string().meta({
      description: 'Shown this once; signs the events.',
      example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
    }),
  })
  .meta({ id: 'WebhookWithSecret' });
export type WebhookWithSecret = z.infer<typeof webhookWithSecretSchema>;

const DELIVERY_STATES = ['waiting', 'delivered', 'dead'] as const;

export const deliverySchema = z
  .object({
    delivery_id: z.string().meta({ description: 'Ascends in the order in which events arose.' }),
    event_id: z.string().meta({
      description: 'The header webhook-id, the same at every attempt.',
      example: 'decided_019aa5c1-2f00-7000-8000-00000000002b',
    }),
    event_type: z.enum(DELIVERY_TYPES),
    decisions: z.int().nullable().meta({
      description: 'How many decisions the event lists; null for other types.',
    }),
    created_at: time,
    state: z.enum(DELIVERY_STATES).meta({ description: 'dead: it is not tried again by itself.' }),
    attempts: z.int().meta({ description: 'Since it arose, or was last sent again by hand.' }),
    next_at: time.nullable(),
    last_at: time.nullable(),
    response_status: z.int().nullable().meta({ description: 'Of the last attempt.' }),
    error: z.string().nullable().meta({ description: 'Of the last attempt, where none answered.' }),
  })
  .meta({ id: 'WebhookDelivery' });
export type Delivery = z.infer<typeof deliverySchema>;

/** `GET /v1/webhooks/{id}/deliveries?…` */
export const deliveryListParameters = z.strictObject({
  state: z.enum(DELIVERY_STATES).optional().meta({ description: 'Only this state.' }),
  ...countedPage,
});
export type DeliveryListParameters = z.output<typeof deliveryListParameters>;
