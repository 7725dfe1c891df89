/** `/v1/rule-sets` and `/v1/rules/outcomes`: the numbers that rules follow, and what became of what they fired on. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { answerHeaders } from '../../../kit/http/answers/answer-headers.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  KEEP_AN_HOUR,
  notModified,
} from '../../../kit/http/answers/kept.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import { readQuery } from '../../../kit/http/body/body.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import { ROLES } from '../../../kit/words/principal.ts';
import type { Reading } from '../../search/queries/reading.ts';
import { RULE_SET_LIST, ruleSetSchema } from '../catalogue.ts';
import { ruleOutcomes, ruleSet } from '../examples.ts';
import { ruleOutcomesParameters, ruleOutcomesSchema } from '../rule-outcomes.ts';

const READERS = ['analyst', 'operator', 'risk_officer'] as const;
const noParameters = z.strictObject({});

export function rulesRoutes({ readRuleOutcomes }: Reading): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const ruleSets = { text: JSON.stringify({ items: RULE_SET_LIST }) };

  routes.get('/v1/rule-sets', requireRole(...ROLES), (c) => {
    readQuery(c, noParameters);
    return answerKept(c, ruleSets, KEEP_AN_HOUR);
  });

  routes.get('/v1/rules/outcomes', requireRole(...READERS), async (c) => {
    const { days } = readQuery(c, ruleOutcomesParameters);
    return answerKept(c, await readRuleOutcomes(days), ASK_AGAIN);
  });

  return routes;
}

const tags = ['rules'];
/** No age: the answer says its time, or never changes. */
const headers = answerHeaders('ETag', 'Cache-Control', 'Vary');

export const rulesPaths: ZodOpenApiPathsObject = {
  '/v1/rule-sets': {
    get: {
      operationId: 'listRuleSets',
      summary: 'Rule sets with every number that a score depends on',
      tags,
      security: allowedRoles(...ROLES),
      requestParams: { header: conditionalHeader },
      responses: {
        200: {
          description: 'The one in force first, then those that earlier scores name.',
          headers,
          content: json(z.object({ items: z.array(ruleSetSchema) }), { items: [ruleSet] }),
        },
        304: { ...notModified[304], headers },
        ...problemResponses(422),
      },
    },
  },
  '/v1/rules/outcomes': {
    get: {
      operationId: 'readRuleOutcomes',
      summary: 'How often each rule fired, and what became of those transactions',
      description:
        'Hits are counted; verdicts and labels are those of a sample. An answer is up to a minute old.',
      tags,
      security: allowedRoles(...READERS),
      requestParams: { query: ruleOutcomesParameters, header: conditionalHeader },
      responses: {
        200: {
          description: 'Every rule of the rule set in force, in the order in which they combine.',
          headers,
          content: json(ruleOutcomesSchema, ruleOutcomes),
        },
        304: { ...notModified[304], headers },
        ...problemResponses(422),
      },
    },
  },
};
