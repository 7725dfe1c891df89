/**
 * What exists and what rules do: `/v1/corridors`, `/v1/reason-codes`, `/v1/features`, `/v1/rule-sets`, `/v1/rules/outcomes`. Each
 * list is short and bounded by code or configuration.
 */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { Api, ApiRoom } from '../../core/room.ts';
import type { AnswerText } from '../../kit/caches/answer-cache.ts';
import { createSampleCache } from '../../kit/caches/sample-cache.ts';
import { answerHeaders } from '../../kit/http/answers/answer-headers.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  KEEP_AN_HOUR,
  notModified,
} from '../../kit/http/answers/kept.ts';
import type { AppEnv } from '../../kit/http/app-env.ts';
import { requireRole } from '../../kit/http/auth/auth.ts';
import { readQuery } from '../../kit/http/body/body.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { allowedRoles, json, problemResponses } from '../../kit/http/openapi.ts';
import { ROLES } from '../../kit/words/principal.ts';
import {
  corridorSchema,
  FEATURES,
  featureSchema,
  REASONS,
  RULE_SET_LIST,
  reasonCodeSchema,
  ruleSetExample,
  ruleSetSchema,
  toCorridorJson,
} from './catalogue.ts';
import {
  type OutcomeDays,
  readRuleOutcomes,
  ruleOutcomesExample,
  ruleOutcomesParameters,
  ruleOutcomesSchema,
} from './outcomes.ts';

const READERS = ['analyst', 'operator', 'risk_officer'] as const;
const noParameters = z.strictObject({});

export async function openRulesApi({ databases, metrics, ingest }: Api): Promise<ApiRoom> {
  const routes = new Hono<AppEnv>();
  const readOutcomes = createSampleCache<OutcomeDays>(
    'rule_outcomes',
    metrics,
    (days) => days,
    (days) => readRuleOutcomes(databases.primary, days, databases.now()),
  );

  routes.get('/v1/corridors', requireRole(...ROLES), (c) => {
    readQuery(c, noParameters);
    return answerKept(c, toText([...ingest.corridors()].map(toCorridorJson)), ASK_AGAIN);
  });

  const lists = { 'reason-codes': REASONS, features: FEATURES, 'rule-sets': RULE_SET_LIST };
  for (const [name, items] of Object.entries(lists)) {
    const text = toText(items);
    routes.get(`/v1/${name}`, requireRole(...ROLES), (c) => {
      readQuery(c, noParameters);
      return answerKept(c, text, KEEP_AN_HOUR);
    });
  }

  routes.get('/v1/rules/outcomes', requireRole(...READERS), async (c) => {
    const { days } = readQuery(c, ruleOutcomesParameters);
    return answerKept(c, await readOutcomes(days), ASK_AGAIN);
  });

  return { routes: [routes] };
}

const toText = (items: readonly object[]): AnswerText => ({ text: JSON.stringify({ items }) });

/** No lag: the lists are in memory, and the outcomes say their time. */
const headers = answerHeaders('ETag', 'Cache-Control', 'Vary');
const otherwise = { 304: { ...notModified[304], headers }, ...problemResponses(422) };
const listing = {
  security: allowedRoles(...ROLES),
  requestParams: { header: conditionalHeader },
};
const catalogue = { ...listing, tags: ['catalogue'] };

function listOf<Schema extends z.ZodType>(
  description: string,
  schema: Schema,
  example: NoInfer<z.input<Schema>>,
) {
  const content = json(z.object({ items: z.array(schema) }), { items: [example] });
  return { 200: { description, headers, content }, ...otherwise };
}

const paths: ZodOpenApiPathsObject = {
  '/v1/corridors': {
    get: {
      ...catalogue,
      operationId: 'listCorridors',
      summary: 'Corridors that transactions of the market may name',
      responses: listOf(
        'All of them, by name; a new one is here, and accepted, within seconds.',
        corridorSchema,
        { corridor: 'US-EG', source: 'US', destination: 'EG' },
      ),
    },
  },
  '/v1/reason-codes': {
    get: {
      ...catalogue,
      operationId: 'listReasonCodes',
      summary: 'Reasons that a score may have, in plain words',
      responses: listOf(
        'Those of rules in the order in which they combine, then those of models.',
        reasonCodeSchema,
        {
          code: 'VELOCITY_COUNT_1H',
          description: 'Many more transactions within an hour than this account usually makes.',
          origin: 'rule',
          rule_sets: ['default@1', 'default@2'],
          features: ['count_1h', 'usual_1h'],
        },
      ),
    },
  },
  '/v1/features': {
    get: {
      ...catalogue,
      operationId: 'listFeatures',
      summary: 'Features of a transaction, in plain words',
      responses: listOf('In the order of the stored vector.', featureSchema, {
        name: 'count_1h',
        unit: 'transactions',
        description: 'Siblings of the last hour.',
        position: 15,
        feature_schema: 1,
      }),
    },
  },
  '/v1/rule-sets': {
    get: {
      ...listing,
      tags: ['rules'],
      operationId: 'listRuleSets',
      summary: 'Rule sets with every number that a score depends on',
      responses: listOf(
        'The one in force first, then those that earlier scores name.',
        ruleSetSchema,
        ruleSetExample,
      ),
    },
  },
  '/v1/rules/outcomes': {
    get: {
      tags: ['rules'],
      security: allowedRoles(...READERS),
      operationId: 'readRuleOutcomes',
      summary: 'How often each rule fired, and what became of those transactions',
      description:
        'Hits are counted; verdicts and labels are those of a sample. An answer is up to a minute old.',
      requestParams: { query: ruleOutcomesParameters, header: conditionalHeader },
      responses: {
        200: {
          description: 'Every rule of the rule set in force, in the order in which they combine.',
          headers,
          content: json(ruleOutcomesSchema, ruleOutcomesExample),
        },
        ...otherwise,
      },
    },
  },
};

export const document: DocumentPart = {
  paths,
  tags: {
    catalogue: 'What exists: corridors, reason codes and features.',
    rules: 'Rule sets, and what became of what their rules fired on.',
  },
};
