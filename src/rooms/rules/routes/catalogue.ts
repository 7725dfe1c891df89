/** `/v1/corridors`, `/v1/reason-codes`, `/v1/features`: what exists. Each list is short and bounded by code or configuration. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { AnswerText } from '../../../kit/caches/answer-cache.ts';
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
import {
  corridorSchema,
  FEATURES,
  featureSchema,
  REASONS,
  reasonCodeSchema,
  toCorridorJson,
} from '../catalogue.ts';

const noParameters = z.strictObject({});

/** @param corridors the names of those that a transaction may name now */
export function catalogueRoutes(corridors: () => Iterable<string>): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  const [reasons, features] = [toText(REASONS), toText(FEATURES)];

  routes.get('/v1/corridors', requireRole(...ROLES), (c) => {
    readQuery(c, noParameters);
    return answerKept(c, toText([...corridors()].map(toCorridorJson)), ASK_AGAIN);
  });

  routes.get('/v1/reason-codes', requireRole(...ROLES), (c) => {
    readQuery(c, noParameters);
    return answerKept(c, reasons, KEEP_AN_HOUR);
  });

  routes.get('/v1/features', requireRole(...ROLES), (c) => {
    readQuery(c, noParameters);
    return answerKept(c, features, KEEP_AN_HOUR);
  });

  return routes;
}

const toText = (items: readonly object[]): AnswerText => ({ text: JSON.stringify({ items }) });

const common = {
  tags: ['catalogue'],
  security: allowedRoles(...ROLES),
  requestParams: { header: conditionalHeader },
};
/** No lag: the lists are in memory. */
const headers = answerHeaders('ETag', 'Cache-Control', 'Vary');
const unchanged = { 304: { ...notModified[304], headers } };

export const cataloguePaths: ZodOpenApiPathsObject = {
  '/v1/corridors': {
    get: {
      ...common,
      operationId: 'listCorridors',
      summary: 'Corridors that transactions of the market may name',
      responses: {
        200: {
          description: 'All of them, by name; a new one is here, and accepted, within seconds.',
          headers,
          content: json(z.object({ items: z.array(corridorSchema) }), {
            items: [{ corridor: 'US-EG', source: 'US', destination: 'EG' }],
          }),
        },
        ...unchanged,
        ...problemResponses(422),
      },
    },
  },
  '/v1/reason-codes': {
    get: {
      ...common,
      operationId: 'listReasonCodes',
      summary: 'Reasons that a score may have, in plain words',
      responses: {
        200: {
          description: 'Those of rules in the order in which they combine, then those of models.',
          headers,
          content: json(z.object({ items: z.array(reasonCodeSchema) }), {
            items: [
              {
                code: 'VELOCITY_COUNT_1H',
                description:
                  'Many more transactions within an hour than this account usually makes.',
                origin: 'rule',
                rule_sets: ['default@1', 'default@2'],
                features: ['count_1h', 'usual_1h'],
              },
            ],
          }),
        },
        ...unchanged,
        ...problemResponses(422),
      },
    },
  },
  '/v1/features': {
    get: {
      ...common,
      operationId: 'listFeatures',
      summary: 'Features of a transaction, in plain words',
      responses: {
        200: {
          description: 'In the order of the stored vector.',
          headers,
          content: json(z.object({ items: z.array(featureSchema) }), {
            items: [
              {
                name: 'count_1h',
                unit: 'transactions',
                description: 'Siblings of the last hour.',
                position: 15,
                feature_schema: 1,
              },
            ],
          }),
        },
        ...unchanged,
        ...problemResponses(422),
      },
    },
  },
};
