/** `/v1/models`: registered models, the decisions of people about them, what the watch found, and what a shadow would decide. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Api, ApiRoom } from '../../core/room.ts';
import { createSampleCache } from '../../kit/caches/sample-cache.ts';
import { readAged } from '../../kit/database/replica/choose-database.ts';
import { ageHeaders, sayAge } from '../../kit/http/answers/age.ts';
import { answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  notModified,
} from '../../kit/http/answers/kept.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { actorOf, requireRole } from '../../kit/http/auth/auth.ts';
import { checkFields, readJson, readQuery } from '../../kit/http/body/body.ts';
import { readToken, tokenParameter } from '../../kit/http/consistency.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { allowedRoles, json, problemResponses } from '../../kit/http/openapi.ts';
import { CURSOR_DESCRIPTION } from '../../kit/words/list-parameters.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import {
  decidedRolloutsExample,
  decidedRolloutsSchema,
  emergencySchema,
  MODEL,
  modelDetailExample,
  modelDetailSchema,
  modelExample,
  modelSchema,
  newEmergencySchema,
  newProposalSchema,
  newRollbackSchema,
  proposalExample,
  proposalSchema,
} from './model-record.ts';
import {
  type ComparisonQuestion,
  compareShadow,
  comparisonExample,
  comparisonParameters,
  comparisonSchema,
} from './queries/comparison.ts';
import { listModelRows, readModelRow } from './queries/list-models.ts';
import { modelWatchParameters, readModelWatch } from './queries/watch-scores.ts';
import {
  actAlone,
  approveRollout,
  proposeRollout,
  takeRolloutBack,
} from './rollout/decide-rollout.ts';
import { watchReportExample, watchReportSchema } from './watch-report.ts';

const READERS = ['analyst', 'operator', 'risk_officer'] as const;
const PAGE = 200;
const REFERENCE_CHARS_MAX = 128;

const listSchema = z.object({ items: z.array(modelSchema), next_cursor: z.string().nullable() });
const modelCursor = plainText(REFERENCE_CHARS_MAX)
  .optional()
  .meta({ description: CURSOR_DESCRIPTION, examples: [MODEL] });
const listParameters = z.strictObject({ cursor: modelCursor });

export async function openModelsApi({ databases, metrics, limits }: Api): Promise<ApiRoom> {
  const { primary, now } = databases;
  const routes = new Hono<AppEnv>();
  const compare = createSampleCache<ComparisonQuestion>(
    'comparisons',
    metrics,
    ({ reference, days }) => `${days} ${reference}`,
    (question) => compareShadow(primary, question, now()),
  );

  routes.get('/v1/models', requireRole(...READERS), async (c) => {
    const after = readQuery(c, listParameters).cursor ?? '';
    const items = await listModelRows(primary, after, PAGE);
    const last = items.length === PAGE ? items.at(-1)?.model : undefined;
    return c.json({ items, next_cursor: last ?? null });
  });

  routes.get('/v1/models/watch', requireRole(...READERS), async (c) => {
    const parameters = readQuery(c, modelWatchParameters);
    const watched = await readAged(databases, readToken(c), (from) =>
      readModelWatch(from, parameters),
    );
    return c.json({ items: sayAge(c, watched) });
  });

  routes.get('/v1/models/:id', requireRole(...READERS), async (c) =>
    c.json(await readModelRow(primary, c.req.param('id'))),
  );

  routes.get('/v1/models/:id/comparison', requireRole(...READERS), async (c) => {
    const { days } = readQuery(c, comparisonParameters);
    return answerKept(c, await compare({ reference: c.req.param('id'), days }), ASK_AGAIN);
  });

  routes.post('/v1/models/:id/proposals', requireRole('risk_officer'), async (c) => {
    const asked = checkFields(newProposalSchema, await readJson(c, limits));
    const promotion = { ...asked, reference: c.req.param('id'), by: actorOf(c) };
    return c.json((await proposeRollout(primary, promotion)).proposal, 201);
  });

  routes.post('/v1/models/:id/emergency', requireRole('risk_officer'), async (c) => {
    const { reason, ...asked } = checkFields(newEmergencySchema, await readJson(c, limits));
    const promotion = { ...asked, reference: c.req.param('id'), by: actorOf(c) };
    return c.json(await actAlone(primary, promotion, reason), 201);
  });

  routes.post('/v1/models/proposals/:id/approve', requireRole('risk_officer'), async (c) =>
    c.json(await approveRollout(primary, c.req.param('id'), actorOf(c))),
  );

  routes.post('/v1/models/rollback', requireRole('risk_officer'), async (c) => {
    const { corridor } = checkFields(newRollbackSchema, await readJson(c, limits));
    return c.json(await takeRolloutBack(primary, corridor, actorOf(c)));
  });

  return { routes: [routes] };
}

const reading = { tags: ['models'], security: allowedRoles(...READERS) };
const deciding = { tags: ['models'], security: allowedRoles('risk_officer') };
const named = z.object({
  id: z.string().meta({ description: 'SHA-256 or name@version.', example: MODEL }),
});
const decided = {
  description: 'The rows that hold from now on.',
  content: json(decidedRolloutsSchema, decidedRolloutsExample),
};
/** No age: the answer says its time. */
const headers = answerHeaders('ETag', 'Cache-Control', 'Vary');

const paths: ZodOpenApiPathsObject = {
  '/v1/models/watch': {
    get: {
      ...reading,
      operationId: 'readModelWatch',
      summary: 'Drift of each model that decides, and what became of its verdicts',
      description:
        'One worker looks every `RISK_WATCH_EVERY_SECONDS` at samples: scores of the last day against the training, verdicts of 7 to 14 days ago against their labels. Every figure has the number of rows it is from.',
      requestParams: { query: modelWatchParameters, header: tokenParameter },
      responses: {
        200: {
          headers: ageHeaders,
          description: 'A report a model, and one of the rules where they decided alone.',
          content: json(z.object({ items: z.array(watchReportSchema) }), {
            items: [watchReportExample],
          }),
        },
        ...problemResponses(422),
      },
    },
  },
  '/v1/models/{id}/comparison': {
    get: {
      ...reading,
      operationId: 'compareShadow',
      summary: 'What a shadow would have decided, beside what was decided',
      description: 'By a sample of its opinions. An answer is up to a minute old.',
      requestParams: { path: named, query: comparisonParameters, header: conditionalHeader },
      responses: {
        200: {
          headers,
          description: 'Without rows where it was no shadow in this time.',
          content: json(comparisonSchema, comparisonExample),
        },
        304: { ...notModified[304], headers },
        ...problemResponses(404, 422),
      },
    },
  },
  '/v1/models': {
    get: {
      ...reading,
      operationId: 'listModels',
      summary: 'Registered models and what they do',
      requestParams: { query: listParameters },
      responses: {
        200: {
          description: 'One page, by name.',
          content: json(listSchema, { items: [modelExample], next_cursor: null }),
        },
        ...problemResponses(422),
      },
    },
  },
  '/v1/models/{id}': {
    get: {
      ...reading,
      operationId: 'readModel',
      summary: 'One model: lineage, card, proposals and rollouts',
      requestParams: { path: named },
      responses: {
        200: { description: 'The model.', content: json(modelDetailSchema, modelDetailExample) },
        ...problemResponses(404),
      },
    },
  },
  '/v1/models/{id}/proposals': {
    post: {
      ...deciding,
      operationId: 'proposeModel',
      summary: 'Propose what a model shall do; somebody else approves it',
      requestParams: { path: named },
      requestBody: {
        required: true,
        content: json(newProposalSchema, { corridor: 'US-EG', to: 'canary:5' }),
      },
      responses: {
        201: { description: 'The proposal.', content: json(proposalSchema, proposalExample) },
        ...problemResponses(400, 404, 408, 409, 413, 415, 422),
      },
    },
  },
  '/v1/models/{id}/emergency': {
    post: {
      ...deciding,
      operationId: 'actAlone',
      summary: 'Put a model in force alone, for a day at most',
      description:
        'It ends by itself unless another person approves the proposal. A corridor has no second emergency until two people have decided there.',
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
          content: json(emergencySchema, { ...decidedRolloutsExample, proposal_id: '13' }),
        },
        ...problemResponses(400, 404, 408, 409, 413, 415, 422),
      },
    },
  },
  '/v1/models/proposals/{id}/approve': {
    post: {
      ...deciding,
      operationId: 'approveModel',
      summary: 'Put a proposal of somebody else in force',
      requestParams: {
        path: z.object({ id: z.string().meta({ description: 'The proposal.', example: '12' }) }),
      },
      responses: { 200: decided, ...problemResponses(404, 409) },
    },
  },
  '/v1/models/rollback': {
    post: {
      ...deciding,
      operationId: 'rollBackModel',
      summary: 'End the canary, or else the active model, at once',
      requestBody: { required: true, content: json(newRollbackSchema, { corridor: 'US-EG' }) },
      responses: { 200: decided, ...problemResponses(400, 404, 408, 409, 413, 415, 422) },
    },
  },
};

export const document: DocumentPart = {
  paths,
  tags: { models: 'Models, what they do, and how well.' },
};
