/**
 * Routes of the catalogue and of rules: `/v1/corridors`, `/v1/reason-codes`, `/v1/features`, `/v1/rule-sets`,
 * `/v1/rules/outcomes`; the life of a rule set is in rule-set-routes.ts. Each list is bounded by code or configuration.
 */
import { z } from 'zod';
import type { Api, ApiRoom } from '../../core/room.ts';
import { listReasonCodes } from '../../core/score/reason-codes.ts';
import { readSlots } from '../../core/store/metadata-fields/metadata-fields.ts';
import { listApproved } from '../../core/store/rule-sets/rule-sets.ts';
import { type AnswerText, createSampleCache } from '../../kit/caches/answer-cache.ts';
import { ASK_AGAIN, KEEP_AN_HOUR } from '../../kit/http/answers/kept.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, list, pathsOf, read, routesOf } from '../../kit/http/operation.ts';
import { ROLES } from '../../kit/words/principal.ts';
import {
  corridorSchema,
  FEATURES,
  featureSchema,
  reasonCodeSchema,
  ruleSetSchema,
  toCorridorJson,
} from './catalogue.ts';
import { metadataOperations } from './metadata-fields.ts';
import { type OutcomesQuery, outcomeOperations, readRuleOutcomes } from './outcomes.ts';
import { executeRollout, executeRuleSet } from './rule-set-change.ts';
import { ruleSetOperations } from './rule-set-routes.ts';
import { listRuleSets } from './rule-set-rows.ts';
import { createYesterdayReader } from './yesterday.ts';

type Parts = Pick<Api, 'ingest' | 'databases'> & {
  readonly readReasons: (all: undefined) => Promise<AnswerText>;
};

/** Answers of this room say no lag of a replica: the lists are in memory, and the outcomes say their time. */
const asking = { kept: ASK_AGAIN, roles: ROLES } as const;

const lists = [
  list({
    ...asking,
    at: '/v1/corridors',
    operationId: 'listCorridors',
    summary: 'Corridors that transactions of the market may name',
    row: corridorSchema,
    says: 'All corridors, by name; a new corridor is here, and accepted, within seconds.',
    rows: (_, { ingest }: Parts) => [...ingest.corridors()].map(toCorridorJson),
  }),
  read({
    ...asking,
    at: '/v1/reason-codes',
    operationId: 'listReasonCodes',
    summary: 'Reasons that a score may have, in plain words',
    answers: {
      200: answer(
        'Reasons of rules, of approved rule sets and of the build, then reasons of models. An answer is up to a minute old.',
        z.object({ items: z.array(reasonCodeSchema) }),
      ),
    },
    run: (_, { readReasons }: Parts) => readReasons(undefined),
  }),
  list({
    roles: ROLES,
    // The features change with the version of the engine alone.
    kept: KEEP_AN_HOUR,
    at: '/v1/features',
    operationId: 'listFeatures',
    summary: 'Features of a transaction, in plain words',
    row: featureSchema,
    says: 'Features in the order of the stored vector.',
    rows: () => FEATURES,
  }),
];

const ofRules = [
  list({
    ...asking,
    at: '/v1/rule-sets',
    operationId: 'listRuleSets',
    summary: 'Rule sets with every number that a score depends on',
    row: ruleSetSchema,
    says: 'Rule sets in force, then the newest 50 by people, then the rule set of the build.',
    rows: (_, { databases }: Parts) => listRuleSets(databases.primary),
  }),
];

export const document: DocumentPart = {
  paths: {
    ...pathsOf(lists, 'catalogue'),
    ...pathsOf(
      [...ofRules, ...outcomeOperations, ...metadataOperations, ...ruleSetOperations],
      'rules',
    ),
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
    async () => {
      const stored = await listApproved(databases.primary);
      return { items: listReasonCodes(stored, await readSlots(databases.primary.query)) };
    },
  );
  const readYesterday = createYesterdayReader(databases.primary, models, databases.now);
  return {
    routes: [
      routesOf([...lists, ...ofRules, ...outcomeOperations], limits, {
        ingest,
        databases,
        readOutcomes,
        readReasons,
      }),
      routesOf(metadataOperations, limits, api),
      routesOf(ruleSetOperations, limits, { databases, models, readYesterday }),
    ],
  };
}

export const executors = { 'rule-set': executeRuleSet, 'rule-set-rollout': executeRollout };
