/** What-ifs: `/v1/evaluate` scores a transaction without storing it, and what-if.ts a scored one with other fields. */
import { Hono } from 'hono';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { transactionInput } from '../../../core/accept/examples.ts';
import { readOneInput } from '../../../core/accept/transaction-input.ts';
import { type TransactionInput, transactionInputSchema } from '../../../core/domain/transaction.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import { type BodyLimits, readJson, readQuery } from '../../../kit/http/body/body.ts';
import { withoutToken } from '../../../kit/http/consistency.ts';
import { allowedRoles, json, problemResponses, writesNothing } from '../../../kit/http/openapi.ts';
import { evaluation } from '../examples/explanations.ts';
import {
  type EvaluationJson,
  type EvaluationParameters,
  evaluationParameters,
  evaluationSchema,
} from '../queries/evaluate.ts';
import type { Reading } from '../queries/reading.ts';
import { type WhatIf, whatIfPaths, whatIfRoutes } from './what-if.ts';

const ROLES = ['analyst', 'risk_officer'] as const;

type Evaluate = (
  input: TransactionInput,
  parameters: EvaluationParameters,
) => Promise<EvaluationJson>;

export function evaluateRoutes(
  { evaluate, whatIf }: { readonly evaluate: Evaluate; readonly whatIf: WhatIf },
  reading: Pick<Reading, 'readScore'>,
  limits: BodyLimits,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  routes.route('/', whatIfRoutes(whatIf, reading, limits));
  routes.post('/v1/evaluate', requireRole(...ROLES), async (c) => {
    withoutToken(c);
    const parameters = readQuery(c, evaluationParameters);
    return c.json(await evaluate(readOneInput(await readJson(c, limits)), parameters));
  });
  return routes;
}

export const evaluatePaths: ZodOpenApiPathsObject = {
  ...whatIfPaths,
  '/v1/evaluate': {
    post: {
      operationId: 'evaluateTransaction',
      summary: 'What a transaction would score; nothing is stored',
      description:
        'Histories are read from the stored transactions as of its `created_at`, which is now by default. An idempotency key is of no consequence.',
      ...writesNothing,
      tags: ['scores'],
      security: allowedRoles(...ROLES),
      requestParams: { query: evaluationParameters },
      requestBody: {
        required: true,
        content: json(transactionInputSchema, transactionInput),
      },
      responses: {
        200: {
          description: 'Score and explanation.',
          content: json(evaluationSchema, evaluation),
        },
        ...problemResponses(400, 408, 413, 415, 422),
      },
    },
  },
};
