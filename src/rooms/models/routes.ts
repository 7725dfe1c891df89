/** `/v1/models`: registered models, the decisions of people about them, what the watch found, and what a shadow would decide. */
import { z } from 'zod';
import { readFor } from '../../core/read-for.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import { approvalSchema } from '../../kit/approvals/approval.ts';
import { type AnswerText, createSampleCache } from '../../kit/caches/answer-cache.ts';
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import { ageHeaders } from '../../kit/http/answers/answer-headers.ts';
import { ASK_AGAIN } from '../../kit/http/answers/kept.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { eventOf, eventsDocument } from '../../kit/http/event-document.ts';
import { answer, bodyOf, change, list, pathsOf, read, routesOf } from '../../kit/http/operation.ts';
import { cursorOfNames } from '../../kit/words/list-parameters.ts';
import { LIST_ROWS } from '../../kit/words/page.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { actAlone, executeModel, proposeModel, rollBackModel } from './decide-models.ts';
import {
  decidedRolloutsSchema,
  emergencySchema,
  MODEL,
  modelDetailSchema,
  modelSchema,
  newEmergencySchema,
  newProposalSchema,
  newRollbackSchema,
} from './model-record.ts';
import { executePolicy, policyOperations } from './policies.ts';
import {
  type ComparisonQuestion,
  compareShadow,
  comparisonParameters,
  comparisonSchema,
} from './queries/comparison.ts';
import { listModelRows, readModelRow } from './queries/list-models.ts';
import { modelWatchParameters, readModelWatch } from './queries/watch-scores.ts';
import { scorecardOperations } from './scorecards/operations.ts';
import { executeTable } from './scorecards/take-table.ts';
import { watchReportSchema } from './watch-report.ts';

type Parts = {
  readonly databases: Databases;
  readonly compare: (question: ComparisonQuestion) => Promise<AnswerText>;
};

const reading = { roles: ['analyst', 'operator', 'risk_officer'] } as const;
const deciding = { roles: ['risk_officer'] } as const;

const REFERENCE_CHARS_MAX = 128;
const named = z.object({
  id: z.string().meta({ description: 'SHA-256 or name@version.', example: MODEL }),
});
const decided = answer('The rows that hold from now on.', decidedRolloutsSchema);

const operations = [
  ...scorecardOperations,
  ...policyOperations,
  list({
    ...reading,
    at: '/v1/models/watch',
    operationId: 'readModelWatch',
    summary: 'Drift of each model that decides, and what became of its verdicts',
    description:
      'One worker looks every `RISK_WATCH_EVERY_SECONDS` at samples: scores of the last day against the training, verdicts of 7 to 14 days ago against their labels. Every figure has the number of rows it is from.',
    query: modelWatchParameters,
    row: watchReportSchema,
    says: 'A report for each model, and a report of the rules where no model decided.',
    headers: ageHeaders,
    rows: ({ query, c }, { databases }: Parts) =>
      readFor(c, databases, (from) => readModelWatch(from, query)),
  }),
  read({
    ...reading,
    at: '/v1/models/{id}/comparison',
    operationId: 'compareShadow',
    summary: 'What a shadow would have decided, beside what was decided',
    description:
      'By a sample of its opinions. The scorecard has the id `scorecard`. An answer is up to a minute old.',
    path: named,
    query: comparisonParameters,
    // The answer has no `Age`, as a member says when the answer was made.
    kept: ASK_AGAIN,
    answers: { 200: answer('Without rows if the model was no shadow.', comparisonSchema) },
    run: ({ path, query }, { compare }: Parts) => compare({ reference: path.id, days: query.days }),
  }),
  list({
    ...reading,
    at: '/v1/models',
    operationId: 'listModels',
    summary: 'Registered models and what they do',
    query: cursorOfNames(plainText(REFERENCE_CHARS_MAX), MODEL),
    row: modelSchema,
    says: 'One page, by name.',
    rows: ({ query: { cursor = '' } }, { databases: { primary } }: Parts) =>
      listModelRows(primary, cursor, LIST_ROWS),
    cursorOf: ({ model }) => model,
  }),
  read({
    ...reading,
    at: '/v1/models/{id}',
    operationId: 'readModel',
    'x-command': 'models show',
    summary: 'One model: lineage, card and rollouts',
    path: named,
    answers: { 200: answer('The model.', modelDetailSchema) },
    run: ({ path: { id } }, { databases: { primary } }: Parts) => readModelRow(primary, id),
  }),
  change({
    ...deciding,
    at: '/v1/models/{id}/proposals',
    operationId: 'proposeModel',
    summary: 'Propose what a model shall do; another person confirms it',
    description:
      'More than 5 % of one corridor, a second corridor, and one of another source country each wait for the dwell time and the gates of the `stage`, or take an `override`.',
    path: named,
    body: bodyOf(newProposalSchema),
    answers: { 201: answer('The approval.', approvalSchema) },
    run: async ({ path, body, by }, { databases: { primary } }: Parts) =>
      await proposeModel(primary, { ...body, reference: path.id, by }),
  }),
  change({
    ...deciding,
    at: '/v1/models/{id}/emergency',
    operationId: 'actAlone',
    'x-command': 'models emergency',
    summary: 'Put a model in force alone, for a day at most',
    description:
      'It ends by itself unless another person confirms the approval. A corridor has no second emergency until two people have decided there.',
    path: named,
    body: bodyOf(newEmergencySchema),
    answers: {
      201: answer(
        'The rows that hold from now on, and the approval that confirms them.',
        emergencySchema,
      ),
    },
    run: async ({ path, body, by }, { databases: { primary } }: Parts) => {
      const { reason, ...promotion } = body;
      return await actAlone(primary, { ...promotion, reference: path.id, by }, reason);
    },
  }),
  change({
    ...deciding,
    at: '/v1/models/rollback',
    operationId: 'rollBackModel',
    'x-command': 'models rollback',
    summary: 'End the canary, or else the active model, at once',
    body: bodyOf(newRollbackSchema),
    answers: { 200: decided },
    problems: [404],
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

export const executors = {
  'model-rollout': executeModel,
  'scorecard-policy': executePolicy,
  'scorecard-table': executeTable,
};
