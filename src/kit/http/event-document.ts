/** How webhooks send events, for the document: a room describes what it tells, from the schemas of its own answers. */
import { z } from 'zod';
import type { DocumentPart } from './document.ts';
import { EVENTS } from './openapi.ts';

type DescribedEvent<Data extends z.ZodType = z.ZodType> = {
  readonly type: string;
  /** Tells events of one type apart that differ in their data. */
  readonly variant?: string;
  readonly summary: string;
  readonly data: Data;
  /** The data; absent where examples of its members say enough. */
  readonly example?: z.input<Data>;
};

/** A schema that answers have, by its name in the document: to draw it again would give it a second name. */
export const schemaOf = <T>(name: string) =>
  z.custom<T>().meta({ override: { $ref: `#/components/schemas/${name}` } });

/** Checks an example against its schema. */
export const eventOf = <Data extends z.ZodType>(
  event: DescribedEvent<Data> & { readonly example?: NoInfer<z.input<Data>> },
): DescribedEvent => event;

const header = z.object({
  'webhook-id': z.string().meta({
    description: 'The id of the event, the same at every attempt: dedupe by it.',
    example: 'decided_019aa5c1-2f00-7000-8000-00000000002a',
  }),
  'webhook-timestamp': z.string().meta({
    description: 'When the attempt was made, in seconds since 1970.',
    example: '1795176000',
  }),
  'webhook-signature': z.string().meta({
    description:
      '`v1,` and the base64 of HMAC-SHA256 over ID.TIMESTAMP.BODY with the secret; several with spaces between while a secret is rotated.',
    example: 'v1,AXmjipqNwBp7MZq0PCw76mvqox+v37f0DpvykKnhw1I=',
  }),
});

/** An operation that a webhook answers. @param example absent where the examples of the events say more */
const sending = (operationId: string, summary: string, schema: string, example?: object) => ({
  operationId,
  summary,
  tags: [EVENTS.tag],
  security: [],
  requestParams: { header },
  requestBody: {
    required: true,
    content: {
      // A reference keeps the form that the schema has in answers.
      'application/json': { schema: { $ref: `#/components/schemas/${schema}` }, example },
    },
  },
  responses: {
    '2XX': { description: 'Taken; anything else is sent again.' },
    410: { description: 'The endpoint is gone, so its webhook is disabled.' },
  },
});

/** The callback of an operation that gives an address. @param url where its body has the address */
export const eventCallback = (url: string) => ({
  event: { [url]: { post: sending('receiveEvent', 'Take an event', EVENTS.any) } },
});

const EXAMPLE_TIME = '2026-11-20T12:00:00.240Z';

/** Names of one event: `alert.raised` of the variant `model_drift` is AlertRaisedModelDriftEvent. */
function namesOf({ type, variant }: DescribedEvent) {
  const words = `${type}.${variant ?? ''}`.split(/[._]/).filter(Boolean);
  const pascal = words.map((word) => `${word.charAt(0).toUpperCase()}${word.slice(1)}`).join('');
  return { key: [type, variant].filter(Boolean).join('.'), schema: `${pascal}Event` };
}

/** The part of the document that describes events. */
export function eventsDocument(
  events: readonly DescribedEvent[],
): Required<Pick<DocumentPart, 'webhooks' | 'schemas'>> {
  const all = events.map((event) => ({ ...event, ...namesOf(event) }));
  const webhooks = all.map(({ type, key, schema, summary, example }) => {
    const body =
      example === undefined ? undefined : { type, timestamp: EXAMPLE_TIME, data: example };
    return [key, { post: sending(`send${schema}`, summary, schema, body) }];
  });
  const schemas = all.map(({ type, schema, data }) => [
    schema,
    z.object({ type: z.literal(type), timestamp: z.iso.datetime(), data }),
  ]);
  return { webhooks: Object.fromEntries(webhooks), schemas: Object.fromEntries(schemas) };
}
