/** `/v1/webhooks`: where events are sent, and what became of each. A secret is shown once, in the answer that made it. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Api } from '../../core/room.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../kit/http/auth/auth.ts';
import { checkFields, readJson, readQuery } from '../../kit/http/body/body.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { allowedRoles, json, problemResponses } from '../../kit/http/openapi.ts';
import { createWebhooks } from './change.ts';
import { openWebhookParts } from './duty.ts';
import { delivery, WEBHOOK_ID, webhook } from './examples.ts';
import {
  DELIVERY_ID,
  deliveriesSchema,
  deliveryListParameters,
  deliverySchema,
  newWebhookSchema,
  WEBHOOK_LIMITS,
  webhookChangeSchema,
  webhookSchema,
  webhooksSchema,
  webhookWithSecretSchema,
} from './webhook.ts';

const path = z.object({
  id: z.uuid().meta({ description: 'The webhook id.', example: WEBHOOK_ID }),
});
const deliveryPath = path.extend({
  delivery_id: z
    .string()
    .regex(DELIVERY_ID, 'must be the id of a delivery')
    .meta({ description: 'The id of the delivery.', example: '41' }),
});

export function webhooksRoutes({
  config,
  databases,
  limits,
}: Pick<Api, 'config' | 'databases' | 'limits'>): Hono<AppEnv> {
  const { targets, seal } = openWebhookParts(config);
  const webhooks = createWebhooks(databases.primary, targets, seal);
  const routes = new Hono<AppEnv>();
  const mayRead = requireRole('operator');
  const mayChange = requireRole('admin');

  routes.get('/v1/webhooks', mayRead, async (c) => c.json(await webhooks.list()));

  routes.post('/v1/webhooks', mayChange, async (c) => {
    const wanted = checkFields(newWebhookSchema, await readJson(c, limits));
    return c.json(await webhooks.create(wanted, actorOf(c)), 201);
  });

  routes.get('/v1/webhooks/:id', mayRead, async (c) => {
    const { id } = checkFields(path, c.req.param());
    return c.json(await webhooks.read(id));
  });

  routes.post('/v1/webhooks/:id', mayChange, async (c) => {
    const { id } = checkFields(path, c.req.param());
    const wanted = checkFields(webhookChangeSchema, await readJson(c, limits));
    return c.json(await webhooks.change(id, wanted, actorOf(c)));
  });

  routes.delete('/v1/webhooks/:id', mayChange, async (c) => {
    const { id } = checkFields(path, c.req.param());
    await webhooks.remove(id, actorOf(c));
    return c.body(null, 204);
  });

  routes.post('/v1/webhooks/:id/rotate', mayChange, async (c) => {
    const { id } = checkFields(path, c.req.param());
    return c.json(await webhooks.rotate(id, actorOf(c)));
  });

  routes.post('/v1/webhooks/:id/test', mayRead, async (c) => {
    const { id } = checkFields(path, c.req.param());
    return c.json(await webhooks.sendTest(id, actorOf(c)), 202);
  });

  routes.get('/v1/webhooks/:id/deliveries', mayRead, async (c) => {
    const { id } = checkFields(path, c.req.param());
    return c.json(await webhooks.listDeliveries(id, readQuery(c, deliveryListParameters)));
  });

  routes.post('/v1/webhooks/:id/deliveries/:delivery_id/redeliver', mayRead, async (c) => {
    const { id, delivery_id } = checkFields(deliveryPath, c.req.param());
    return c.json(await webhooks.redeliver(id, delivery_id, actorOf(c)), 202);
  });

  return routes;
}

const withSecret = { ...webhook, secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' };
const tags = ['webhooks'];
const reading = { tags, security: allowedRoles('operator') };
const changing = { tags, security: allowedRoles('admin') };
const newWebhook = {
  ...{ url: webhook.url, event_types: ['transaction.decided' as const], client: 'shop' },
};

const paths: ZodOpenApiPathsObject = {
  '/v1/webhooks': {
    get: {
      ...{ operationId: 'listWebhooks', ...reading },
      summary: 'Webhooks, without their secrets',
      responses: {
        200: { description: 'All of them.', content: json(webhooksSchema, { items: [webhook] }) },
        ...problemResponses(),
      },
    },
    post: {
      ...{ operationId: 'createWebhook', ...changing },
      summary: 'Make a webhook',
      description: `Events are sent as Standard Webhooks describes. A market has at most ${WEBHOOK_LIMITS.endpoints}.`,
      requestBody: { required: true, content: json(newWebhookSchema, newWebhook) },
      responses: {
        201: {
          description: 'The webhook with its secret, shown this once.',
          content: json(webhookWithSecretSchema, withSecret),
        },
        ...problemResponses(400, 408, 409, 413, 415, 422),
      },
    },
  },
  '/v1/webhooks/{id}': {
    get: {
      ...{ operationId: 'readWebhook', ...reading },
      summary: 'One webhook',
      requestParams: { path },
      responses: {
        200: { description: 'The webhook.', content: json(webhookSchema, webhook) },
        ...problemResponses(404, 422),
      },
    },
    post: {
      ...{ operationId: 'changeWebhook', ...changing },
      summary: 'Change, pause or enable a webhook',
      description: 'Changes what is given; the rest stays.',
      requestParams: { path },
      requestBody: { required: true, content: json(webhookChangeSchema, { paused: true }) },
      responses: {
        200: {
          description: 'The webhook.',
          content: json(webhookSchema, { ...webhook, state: 'paused' }),
        },
        ...problemResponses(400, 404, 408, 413, 415, 422),
      },
    },
    delete: {
      ...{ operationId: 'deleteWebhook', ...changing },
      summary: 'Delete a webhook; what waits is not sent',
      requestParams: { path },
      responses: { 204: { description: 'Deleted.' }, ...problemResponses(404, 422) },
    },
  },
  '/v1/webhooks/{id}/rotate': {
    post: {
      ...{ operationId: 'rotateWebhookSecret', ...changing },
      summary: 'Make a new secret',
      description: `Events are signed by both secrets for ${WEBHOOK_LIMITS.rotationHours} hours.`,
      requestParams: { path },
      responses: {
        200: {
          description: 'The webhook with its new secret, shown this once.',
          content: json(webhookWithSecretSchema, withSecret),
        },
        ...problemResponses(404, 422),
      },
    },
  },
  '/v1/webhooks/{id}/test': {
    post: {
      ...{ operationId: 'testWebhook', ...reading },
      summary: 'Send an event of the type webhook.test',
      requestParams: { path },
      responses: {
        202: {
          description: 'The delivery; the list of deliveries says what became of it.',
          content: json(deliverySchema, {
            ...{ ...delivery, event_id: 'test_8d1f4c0e-7c7b-4f0a-9a55-0d6c5f4b1f10' },
            ...{ event_type: 'webhook.test', decisions: null, attempts: 0 },
            ...{ last_at: null, response_status: null },
          }),
        },
        ...problemResponses(404, 409, 422),
      },
    },
  },
  '/v1/webhooks/{id}/deliveries': {
    get: {
      ...{ operationId: 'listDeliveries', ...reading },
      summary: 'What was sent, and what became of it',
      requestParams: { path, query: deliveryListParameters },
      responses: {
        200: {
          description: 'One page, newest first.',
          content: json(deliveriesSchema, { items: [delivery], next_cursor: null }),
        },
        ...problemResponses(404, 422),
      },
    },
  },
  '/v1/webhooks/{id}/deliveries/{delivery_id}/redeliver': {
    post: {
      ...{ operationId: 'redeliver', ...reading },
      summary: 'Send an event again, under its id',
      description: 'Whatever became of it before; the schedule of attempts begins anew.',
      requestParams: { path: deliveryPath },
      responses: {
        202: {
          description: 'The delivery.',
          content: json(deliverySchema, { ...delivery, attempts: 0 }),
        },
        ...problemResponses(404, 409, 422),
      },
    },
  },
};

export const document: DocumentPart = {
  paths,
  tags: { webhooks: 'Events sent to other systems.' },
};
