/** `/v1/models`: registered models, their states in corridors, and the decisions of two people about them. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import {
  decidedRolloutsSchema,
  emergencySchema,
  modelDetailSchema,
  modelSchema,
  newEmergencySchema,
  newProposalSchema,
  newRollbackSchema,
  proposalSchema,
} from '../../../core/domain/model-record.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../../kit/http/auth/auth.ts';
import { type BodyLimits, checkFields, readJson, readQuery } from '../../../kit/http/body/body.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import { CURSOR_DESCRIPTION } from '../../../kit/words/list-parameters.ts';
import { plainText } from '../../../kit/words/plain-text.ts';
import type { Registry } from '../change/registry.ts';
import { decidedRollouts, MODEL, model, modelDetail, modelProposal } from '../examples.ts';

const READERS = ['analyst', 'operator', 'risk_officer'] as const;
const PAGE = 200;
const REFERENCE_CHARS_MAX = 128;

const listSchema = z.object({ items: z.array(modelSchema), next_cursor: z.string().nullable() });
const modelCursor = plainText(REFERENCE_CHARS_MAX)
  .optional()
  .meta({ description: CURSOR_DESCRIPTION, examples: [MODEL] });
const listParameters = z.strictObject({ cursor: modelCursor });

export function modelsRoutes(registry: Registry & { readonly limits: BodyLimits }): Hono<AppEnv> {
  const { listModels, readModel, propose, actAlone, approve, rollBack, limits } = registry;
  const routes = new Hono<AppEnv>();

  routes.get('/v1/models', requireRole(...READERS), async (c) => {
    const items = await listModels(readQuery(c, listParameters).cursor ?? '', PAGE);
    const last = items.length === PAGE ? items.at(-1)?.model : undefined;
    return c.json({ items, next_cursor: last ?? null });
  });

  routes.get('/v1/models/:id', requireRole(...READERS), async (c) =>
    c.json(await readModel(c.req.param('id'))),
  );

  routes.post('/v1/models/:id/proposals', requireRole('risk_officer'), async (c) => {
    const proposal = checkFields(newProposalSchema, await readJson(c, limits));
    return c.json(await propose(c.req.param('id'), proposal, actorOf(c)), 201);
  });

  routes.post('/v1/models/:id/emergency', requireRole('risk_officer'), async (c) => {
    const emergency = checkFields(newEmergencySchema, await readJson(c, limits));
    return c.json(await actAlone(c.req.param('id'), emergency, actorOf(c)), 201);
  });

  routes.post('/v1/models/proposals/:id/approve', requireRole('risk_officer'), async (c) =>
    c.json(await approve(c.req.param('id'), actorOf(c))),
  );

  routes.post('/v1/models/rollback', requireRole('risk_officer'), async (c) => {
    const { corridor } = checkFields(newRollbackSchema, await readJson(c, limits));
    return c.json(await rollBack(corridor, actorOf(c)));
  });

  return routes;
}

const tags = ['models'];
const named = z.object({
  id: z.string().meta({ description: 'SHA-256 or name@version.', example: MODEL }),
});
const decided = {
  description: 'The rows that hold from now on.',
  content: json(decidedRolloutsSchema, decidedRollouts),
};

export const modelsPaths: ZodOpenApiPathsObject = {
  '/v1/models': {
    get: {
      operationId: 'listModels',
      summary: 'Registered models and what they do',
      tags,
      security: allowedRoles(...READERS),
      requestParams: { query: listParameters },
      responses: {
        200: {
          description: 'One page, by name.',
          content: json(listSchema, { items: [model], next_cursor: null }),
        },
        ...problemResponses(422),
      },
    },
  },
  '/v1/models/{id}': {
    get: {
      operationId: 'readModel',
      summary: 'One model: lineage, card, proposals and rollouts',
      tags,
      security: allowedRoles(...READERS),
      requestParams: { path: named },
      responses: {
        200: { description: 'The model.', content: json(modelDetailSchema, modelDetail) },
        ...problemResponses(404),
      },
    },
  },
  '/v1/models/{id}/proposals': {
    post: {
      operationId: 'proposeModel',
      summary: 'Propose what a model shall do; somebody else approves it',
      tags,
      security: allowedRoles('risk_officer'),
      requestParams: { path: named },
      requestBody: {
        required: true,
        content: json(newProposalSchema, { corridor: 'US-EG', to: 'canary:5' }),
      },
      responses: {
        201: { description: 'The proposal.', content: json(proposalSchema, modelProposal) },
        ...problemResponses(400, 404, 408, 409, 413, 415, 422),
      },
    },
  },
  '/v1/models/{id}/emergency': {
    post: {
      operationId: 'actAlone',
      summary: 'Put a model in force alone, for a day at most',
      description:
        'It ends by itself unless another person approves the proposal. A corridor has no second emergency until two people have decided there.',
      tags,
      security: allowedRoles('risk_officer'),
      requestParams: { path: named },
      requestBody: {
        required: true,
        content: json(newEmergencySchema, {
          ...{ corridor: 'US-EG', to: 'active', reason: 'the model in force lets a ring through' },
        }),
      },
      responses: {
        201: {
          description: 'The rows that hold from now on, and the proposal that confirms them.',
          content: json(emergencySchema, { ...decidedRollouts, proposal_id: '13' }),
        },
        ...problemResponses(400, 404, 408, 409, 413, 415, 422),
      },
    },
  },
  '/v1/models/proposals/{id}/approve': {
    post: {
      operationId: 'approveModel',
      summary: 'Put a proposal of somebody else in force',
      tags,
      security: allowedRoles('risk_officer'),
      requestParams: {
        path: z.object({ id: z.string().meta({ description: 'The proposal.', example: '12' }) }),
      },
      responses: { 200: decided, ...problemResponses(404, 409) },
    },
  },
  '/v1/models/rollback': {
    post: {
      operationId: 'rollBackModel',
      summary: 'End the canary, or else the active model, at once',
      tags,
      security: allowedRoles('risk_officer'),
      requestBody: { required: true, content: json(newRollbackSchema, { corridor: 'US-EG' }) },
      responses: { 200: decided, ...problemResponses(400, 404, 408, 409, 413, 415, 422) },
    },
  },
};
