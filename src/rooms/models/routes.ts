/** `/v1/models`: registered models, the decisions of people about them, what the watch found, and what a shadow would decide. */
import { z } from 'zod';
import { readFor } from '../../core/read-for.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import { type AnswerText, createSampleCache } from '../../kit/caches/answer-cache.ts';
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import { ageHeaders, answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  notModified,
} from '../../kit/http/answers/kept.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { eventOf, eventsDocument } from '../../kit/http/event-document.ts';
import { answer, bodyOf, operation, pathsOf, routesOf } from '../../kit/http/operation.ts';
import { CURSOR_DESCRIPTION } from '../../kit/words/list-parameters.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { actAlone, approveModel, proposeModel, rollBackModel } from './decide-models.ts';
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
import { watchReportExample, watchReportSchema } from './watch-report.ts';

type Parts = {
  readonly databases: Databases;
  readonly compare: (question: ComparisonQuestion) => Promise<AnswerText>;
};

const reading = { method: 'get', roles: ['analyst', 'operator', 'risk_officer'] } as const;
const deciding = { method: 'post', roles: ['risk_officer'] } as const;

const PAGE = 200;
const REFERENCE_CHARS_MAX = 128;
const modelCursor = plainText(REFERENCE_CHARS_MAX)
  .optional()
  .meta({ description: CURSOR_DESCRIPTION, examples: [MODEL] });
const listSchema = z.object({ items: z.array(modelSchema), next_cursor: z.string().nullable() });

const named = z.object({
  id: z.string().meta({ description: 'SHA-256 or name@version.', example: MODEL }),
});
const decided = answer(
  'The rows that hold from now on.',
  decidedRolloutsSchema,
  decidedRolloutsExample,
);
/** No age: the answer says its time. */
const headers = answerHeaders('ETag', 'Cache-Control', 'Vary');

const operations = [
  operation({
    ...reading,
    at: '/v1/models/watch',
    operationId: 'readModelWatch',
    summary: 'Drift of each model that decides, and what became of its verdicts',
    description:
      'One worker looks every `RISK_WATCH_EVERY_SECONDS` at samples: scores of the last day against the training, verdicts of 7 to 14 days ago against their labels. Every figure has the number of rows it is from.',
    query: modelWatchParameters,
    answers: {
      200: {
        headers: ageHeaders,
        ...answer(
          'A report a model, and one of the rules where they decided alone.',
          z.object({ items: z.array(watchReportSchema) }),
          { items: [watchReportExample] },
        ),
      },
    },
    run: async ({ query, c }, { databases }: Parts) => {
      const read = (from: Databases) => readModelWatch(from, query);
      return { items: await readFor(c, databases, read) };
    },
  }),
  operation({
    ...reading,
    at: '/v1/models/{id}/comparison',
    operationId: 'compareShadow',
    summary: 'What a shadow would have decided, beside what was decided',
    description: 'By a sample of its opinions. An answer is up to a minute old.',
    path: named,
    query: comparisonParameters,
    header: conditionalHeader,
    answers: {
      200: {
        headers,
        ...answer(
          'Without rows where it was no shadow in this time.',
          comparisonSchema,
          comparisonExample,
        ),
      },
      304: { ...notModified[304], headers },
    },
    problems: [404],
    run: async ({ path, query, c }, { compare }: Parts) =>
      answerKept(c, await compare({ reference: path.id, days: query.days }), ASK_AGAIN),
  }),
  operation({
    ...reading,
    at: '/v1/models',
    operationId: 'listModels',
    summary: 'Registered models and what they do',
    query: z.strictObject({ cursor: modelCursor }),
    answers: {
      200: answer('One page, by name.', listSchema, { items: [modelExample], next_cursor: null }),
    },
    run: async ({ query }, { databases: { primary } }: Parts) => {
      const items = await listModelRows(primary, query.cursor ?? '', PAGE);
      const last = items.length === PAGE ? items.at(-1)?.model : undefined;
      return { items, next_cursor: last ?? null };
    },
  }),
  operation({
    ...reading,
    at: '/v1/models/{id}',
    operationId: 'readModel',
    summary: 'One model: lineage, card, proposals and rollouts',
    anyPath: named,
    answers: { 200: answer('The model.', modelDetailSchema, modelDetailExample) },
    problems: [404],
    run: async ({ c }, { databases: { primary } }: Parts) =>
      await readModelRow(primary, c.req.param('id') ?? ''),
  }),
  operation({
    ...deciding,
    at: '/v1/models/{id}/proposals',
    operationId: 'proposeModel',
    summary: 'Propose what a model shall do; somebody else approves it',
    description:
      'More than 5 % of one corridor, a second corridor, and one of another source country each wait for the dwell time and the gates of the `stage`, or take an `override`.',
    path: named,
    body: bodyOf(newProposalSchema, { corridor: 'US-EG', to: 'canary:5' }),
    answers: { 201: answer('The proposal.', proposalSchema, proposalExample) },
    problems: [404, 409],
    run: async ({ path, body, by }, { databases: { primary } }: Parts) =>
      await proposeModel(primary, { ...body, reference: path.id, by }),
  }),
  operation({
    ...deciding,
    at: '/v1/models/{id}/emergency',
    operationId: 'actAlone',
    summary: 'Put a model in force alone, for a day at most',
    description:
      'It ends by itself unless another person approves the proposal. A corridor has no second emergency until two people have decided there.',
    path: named,
    body: bodyOf(newEmergencySchema, {
      corridor: 'US-EG',
      to: 'active',
      reason: 'the model in force lets a ring through',
    }),
    answers: {
      201: answer(
        'The rows that hold from now on, and the proposal that confirms them.',
        emergencySchema,
        { ...decidedRolloutsExample, proposal_id: '13' },
      ),
    },
    problems: [404, 409],
    run: async ({ path, body, by }, { databases: { primary } }: Parts) => {
      const { reason, ...promotion } = body;
      return await actAlone(primary, { ...promotion, reference: path.id, by }, reason);
    },
  }),
  operation({
    ...deciding,
    at: '/v1/models/proposals/{id}/approve',
    operationId: 'approveModel',
    summary: 'Put a proposal of somebody else in force',
    anyPath: z.object({ id: z.string().meta({ description: 'The proposal.', example: '12' }) }),
    answers: { 200: decided },
    problems: [404, 409],
    run: async ({ c, by }, { databases: { primary } }: Parts) =>
      await approveModel(primary, c.req.param('id') ?? '', by),
  }),
  operation({
    ...deciding,
    at: '/v1/models/rollback',
    operationId: 'rollBackModel',
    summary: 'End the canary, or else the active model, at once',
    body: bodyOf(newRollbackSchema, { corridor: 'US-EG' }),
    answers: { 200: decided },
    problems: [404, 409],
    run: async ({ body, by }, { databases: { primary } }: Parts) =>
      await rollBackModel(primary, body.corridor, by),
  }),
];

export const document: DocumentPart = {
  paths: pathsOf(operations, 'models'),
  tags: { models: 'Models, what they do, and how well.' },
  ...eventsDocument([
    eventOf({
      type: 'alert.raised',
      variant: 'model_drift',
      summary: 'Scores or features of a model have drifted much',
      data: z.object({
        alert: z.literal('model_drift'),
        model: z.string(),
        watched_at: z.iso.datetime(),
        psi: z
          .number()
          .nullable()
          .meta({ description: 'Population stability index of the scores.' }),
        features: z.array(z.string()).meta({ description: 'Features that have drifted.' }),
      }),
      example: {
        alert: 'model_drift',
        model: 'trees-2026-10@1',
        watched_at: '2026-11-20T06:00:00.000Z',
        psi: 0.31,
        features: ['count_1h'],
      },
    }),
  ]),
};

export function open({ databases, metrics, limits }: Api): ApiRoom {
  const compare = createSampleCache<ComparisonQuestion>(
    'comparisons',
    metrics,
    ({ reference, days }) => `${days} ${reference}`,
    (question) => compareShadow(databases.primary, question, databases.now()),
  );
  return { routes: [routesOf(operations, limits, { databases, compare })] };
}
