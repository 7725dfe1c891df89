/** `/v1/webhooks`: where events are sent, and what became of each. A secret is shown once, in the answer that made it. */
import { z } from 'zod';
import { type ScoreJson, scoreSchema } from '../../core/domain/score-record.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { eventCallback, eventOf, eventsDocument, schemaOf } from '../../kit/http/event-document.ts';
import {
  answer,
  bodyOf,
  change,
  list,
  type Operation,
  pathsOf,
  read,
  routesOf,
} from '../../kit/http/operation.ts';
import { countedId } from '../../kit/words/list-parameters.ts';
import {
  changeWebhook,
  createWebhook,
  deleteWebhook,
  listDeliveriesOf,
  readWebhook,
  redeliverEvent,
  rotateSecret,
  sendTest,
} from './change.ts';
import { openTargets, type Targets } from './deliver/target.ts';
import { listWebhooks } from './store/webhooks.ts';
import {
  deliveryListParameters,
  deliverySchema,
  newWebhookSchema,
  refuseUnknownCorridors,
  TEST_TYPE,
  WEBHOOK_ID,
  WEBHOOK_LIMITS,
  webhookChangeSchema,
  webhookSchema,
  webhookWithSecretSchema,
} from './webhook.ts';

type Parts = Api & { readonly targets: Targets };

const path = z.object({
  id: z.uuid().toLowerCase().meta({ description: 'The webhook id.', example: WEBHOOK_ID }),
});
const deliveryPath = path.extend({
  delivery_id: countedId('the id of a delivery').meta({
    description: 'The id of the delivery.',
    example: '41',
  }),
});
const withSecret = (description: string) => answer(description, webhookWithSecretSchema);
const READERS = ['operator'] as const;
const CHANGERS = ['admin'] as const;

const operations: readonly Operation<Parts>[] = [
  list({
    at: '/v1/webhooks',
    operationId: 'listWebhooks',
    summary: 'Webhooks, without their secrets',
    roles: READERS,
    row: webhookSchema,
    says: `All webhooks, at most ${WEBHOOK_LIMITS.webhooks}.`,
    rows: (_, { databases: { primary } }: Parts) => listWebhooks(primary.query),
  }),
  change({
    at: '/v1/webhooks',
    operationId: 'createWebhook',
    summary: 'Make a webhook',
    description: `Events are sent as Standard Webhooks describes. A market has at most ${WEBHOOK_LIMITS.webhooks}.`,
    callbacks: eventCallback('{$request.body#/url}'),
    roles: CHANGERS,
    body: bodyOf(newWebhookSchema),
    answers: { 201: withSecret('The webhook with its secret, shown this once.') },
    run: ({ body, by }, { config, databases: { primary }, targets, ingest }: Parts) => {
      refuseUnknownCorridors(body.corridors, ingest.corridors());
      return createWebhook(primary, targets, config.RISK_WEBHOOK_KEYS ?? [], body, by);
    },
  }),
  read({
    at: '/v1/webhooks/{id}',
    operationId: 'readWebhook',
    summary: 'One webhook',
    roles: READERS,
    path,
    answers: { 200: answer('The webhook.', webhookSchema) },
    run: ({ path: { id } }, { databases: { primary } }: Parts) => readWebhook(primary.query, id),
  }),
  change({
    at: '/v1/webhooks/{id}',
    operationId: 'changeWebhook',
    summary: 'Change, pause or enable a webhook',
    description: 'Changes what is given; the rest stays.',
    roles: CHANGERS,
    path,
    body: bodyOf(webhookChangeSchema, { paused: true }),
    answers: { 200: answer('The webhook.', webhookSchema) },
    run: ({ path: { id }, body, by }, { databases: { primary }, targets, ingest }: Parts) => {
      refuseUnknownCorridors(body.corridors, ingest.corridors());
      return changeWebhook(primary, targets, id, body, by);
    },
  }),
  change({
    method: 'delete',
    at: '/v1/webhooks/{id}',
    operationId: 'deleteWebhook',
    summary: 'Delete a webhook; what waits is not sent',
    roles: CHANGERS,
    path,
    answers: { 204: { description: 'Deleted.' } },
    run: async ({ path: { id }, by }, { databases: { primary } }: Parts) => {
      await deleteWebhook(primary, id, by);
      return undefined;
    },
  }),
  change({
    at: '/v1/webhooks/{id}/rotate',
    operationId: 'rotateWebhookSecret',
    'x-command': 'webhooks rotate',
    summary: `Make a new secret; events are signed by both secrets for ${WEBHOOK_LIMITS.rotationHours} hours`,
    roles: CHANGERS,
    path,
    answers: { 200: withSecret('The webhook with its new secret, shown this once.') },
    run: ({ path: { id }, by }, { config, databases: { primary } }: Parts) =>
      rotateSecret(primary, config.RISK_WEBHOOK_KEYS ?? [], id, by),
  }),
  change({
    at: '/v1/webhooks/{id}/test',
    operationId: 'testWebhook',
    'x-command': 'webhooks test',
    summary: 'Send an event of the type webhook.test',
    roles: READERS,
    path,
    answers: {
      202: answer('The delivery; the list of deliveries says what became of it.', deliverySchema),
    },
    run: ({ path: { id }, by }, { databases: { primary } }: Parts) => sendTest(primary, id, by),
  }),
  list({
    at: '/v1/webhooks/{id}/deliveries',
    operationId: 'listDeliveries',
    summary: 'What was sent, and what became of it',
    roles: READERS,
    path,
    query: deliveryListParameters,
    row: deliverySchema,
    says: 'One page, newest first.',
    rows: ({ path: { id }, query }, { databases: { primary } }: Parts) =>
      listDeliveriesOf(primary.query, id, query),
    cursorOf: ({ delivery_id: id }) => id,
  }),
  change({
    at: '/v1/webhooks/{id}/deliveries/{delivery_id}/redeliver',
    operationId: 'redeliver',
    'x-command': 'webhooks redeliver',
    summary: 'Send an event again, under its id',
    description: 'Whatever became of it before; the schedule of attempts begins anew.',
    roles: READERS,
    path: deliveryPath,
    answers: { 202: answer('The delivery.', deliverySchema) },
    run: ({ path: { id, delivery_id }, by }, { databases: { primary } }: Parts) =>
      redeliverEvent(primary, id, delivery_id, by),
  }),
];

/** A score as the event lists it. */
const decidedSchema = scoreSchema
  .extend({
    reasons: z.array(schemaOf<ScoreJson['reasons'][number]>('Reason')),
    merchant_id: z.string(),
    amount: z.string(),
    currency: z.string(),
  })
  .meta({ id: 'DecidedTransaction' });

export const document: DocumentPart = {
  paths: pathsOf(operations, 'webhooks'),
  tags: { webhooks: 'Events sent to other systems.' },
  ...eventsDocument([
    eventOf({
      type: 'transaction.decided',
      summary: 'Scores with one of the verdicts were stored',
      data: z.object({ decisions: z.array(decidedSchema) }),
    }),
    eventOf({ type: TEST_TYPE, summary: 'Somebody tests the webhook', data: z.object({}) }),
  ]),
};

export function open(api: Api): ApiRoom {
  const parts = { ...api, targets: openTargets(api.config) };
  return { routes: [routesOf(operations, api.limits, parts)] };
}
