/**
 * Routes of the catalogue and of rules: `/v1/corridors`, `/v1/reason-codes`, `/v1/features`, `/v1/rule-sets`,
 * `/v1/rules/outcomes`; the life of a rule set is in rule-set-routes.ts. Each list is bounded by code or configuration.
 */
import { z } from 'zod';
import type { Api, ApiRoom } from '../../core/room.ts';
import { listReasonCodes } from '../../core/score/reason-codes.ts';
import { listApproved } from '../../core/store/rule-sets/rule-sets.ts';
import { type AnswerText, createSampleCache } from '../../kit/caches/answer-cache.ts';
import { answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  KEEP_AN_HOUR,
  notModified,
} from '../../kit/http/answers/kept.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, operation, pathsOf, routesOf } from '../../kit/http/operation.ts';
import { ROLES } from '../../kit/words/principal.ts';
import {
  corridorSchema,
  FEATURES,
  featureSchema,
  reasonCodeSchema,
  ruleSetExample,
  ruleSetSchema,
  toCorridorJson,
} from './catalogue.ts';
import { metadataOperations } from './metadata-fields.ts';
import {
  type OutcomesQuery,
  readRuleOutcomes,
  ruleOutcomesExample,
  ruleOutcomesParameters,
  ruleOutcomesSchema,
} from './outcomes.ts';
import { ruleSetOperations } from './rule-set-routes.ts';
import { listRuleSets } from './rule-set-rows.ts';
import { createYesterdayReader } from './yesterday.ts';

type Parts = Pick<Api, 'ingest' | 'databases'> & {
  readonly readOutcomes: (query: OutcomesQuery) => Promise<AnswerText>;
  readonly readReasons: (all: undefined) => Promise<AnswerText>;
};

const toText = (rows: readonly object[]): AnswerText => ({ text: JSON.stringify({ items: rows }) });
const FEATURES_TEXT = toText(FEATURES);

/** No lag: the lists are in memory, and the outcomes say their time. */
const headers = answerHeaders('ETag', 'Cache-Control', 'Vary');
const answersOf = (found: ReturnType<typeof answer>) => ({
  200: { ...found, headers },
  304: { ...notModified[304], headers },
});
const listOf = <Schema extends z.ZodType>(
  description: string,
  schema: Schema,
  example: NoInfer<z.input<Schema>>,
) => answersOf(answer(description, z.object({ items: z.array(schema) }), { items: [example] }));

const asking = { method: 'get', header: conditionalHeader } as const;
const listing = { ...asking, roles: ROLES };

const lists = [
  operation({
    ...listing,
    at: '/v1/corridors',
    operationId: 'listCorridors',
    summary: 'Corridors that transactions of the market may name',
    answers: listOf(
      'All of them, by name; a new one is here, and accepted, within seconds.',
      corridorSchema,
      { corridor: 'US-EG', source: 'US', destination: 'EG' },
    ),
    run: ({ c }, { ingest }: Parts) =>
      answerKept(c, toText([...ingest.corridors()].map(toCorridorJson)), ASK_AGAIN),
  }),
  operation({
    ...listing,
    at: '/v1/reason-codes',
    operationId: 'listReasonCodes',
    summary: 'Reasons that a score may have, in plain words',
    answers: listOf(
      'Those of rules, of approved rule sets and of the build, then those of models. An answer is up to a minute old.',
      reasonCodeSchema,
      {
        code: 'VELOCITY_COUNT_1H',
        description: 'Many more transactions within an hour than this account usually makes.',
        origin: 'rule',
        rule_sets: ['default@3'],
        features: ['count_1h', 'usual_1h'],
      },
    ),
    run: async ({ c }, { readReasons }: Parts) =>
      answerKept(c, await readReasons(undefined), ASK_AGAIN),
  }),
  operation({
    ...listing,
    at: '/v1/features',
    operationId: 'listFeatures',
    summary: 'Features of a transaction, in plain words',
    answers: listOf('In the order of the stored vector.', featureSchema, {
      name: 'count_1h',
      unit: 'transactions',
      description: 'Siblings of the last hour.',
      position: 15,
    }),
    // The list changes with the version of the engine alone.
    run: ({ c }) => answerKept(c, FEATURES_TEXT, KEEP_AN_HOUR),
  }),
];

const ofRules = [
  operation({
    ...listing,
    at: '/v1/rule-sets',
    operationId: 'listRuleSets',
    summary: 'Rule sets with every number that a score depends on',
    answers: listOf(
      'Those in force first, then the newest 50 that people have made, then that of the build.',
      ruleSetSchema,
      ruleSetExample,
    ),
    run: async ({ c }, { databases }: Parts) =>
      answerKept(c, toText(await listRuleSets(databases.primary)), ASK_AGAIN),
  }),
  operation({
    ...asking,
    at: '/v1/rules/outcomes',
    operationId: 'readRuleOutcomes',
    summary: 'How often each rule fired, and what became of those transactions',
    description:
      'All figures are counted. An answer is up to a minute old, and labels are those that are known by then.',
    roles: ['analyst', 'operator', 'risk_officer'],
    query: ruleOutcomesParameters,
    answers: answersOf(
      answer(
        'Every rule of the rule sets in force, in the order in which they combine.',
        ruleOutcomesSchema,
        ruleOutcomesExample,
      ),
    ),
    run: async ({ query, c }, { readOutcomes }: Parts) =>
      answerKept(c, await readOutcomes(query), ASK_AGAIN),
  }),
];

export const document: DocumentPart = {
  paths: {
    ...pathsOf(lists, 'catalogue'),
    ...pathsOf([...ofRules, ...metadataOperations, ...ruleSetOperations], 'rules'),
  },
  tags: {
    catalogue: 'What exists: corridors, reason codes and features.',
    rules: 'Rule sets, and what became of what their rules fired on.',
  },
};

export function open(api: Api): ApiRoom {
  const { databases, metrics, models, ingest, limits } = api;
  const readOutcomes = createSampleCache<OutcomesQuery>(
    'rule_outcomes',
    metrics,
    ({ days, corridor = '' }) => `${days} ${corridor}`,
    (query) => readRuleOutcomes(databases.primary, query, databases.now()),
  );
  const readReasons = createSampleCache<undefined>(
    'reason_codes',
    metrics,
    () => '',
    async () => ({ items: listReasonCodes(await listApproved(databases.primary)) }),
  );
  const readYesterday = createYesterdayReader(databases.primary, models, databases.now);
  return {
    routes: [
      routesOf([...lists, ...ofRules], limits, { ingest, databases, readOutcomes, readReasons }),
      routesOf(metadataOperations, limits, api),
      routesOf(ruleSetOperations, limits, { databases, models, readYesterday }),
    ],
  };
}
