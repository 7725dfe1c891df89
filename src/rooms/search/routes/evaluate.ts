/** What-ifs: `/v1/evaluate` scores a transaction that nobody submitted, and `/what-if` a scored one with other fields. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { readContext } from '../../../core/accept/accept-transactions.ts';
import { TRANSACTION_ID, transactionInput } from '../../../core/accept/examples.ts';
import {
  type ContextFields,
  findInvalid,
  type IngestContext,
  toTransaction,
} from '../../../core/accept/prepare-transactions.ts';
import { readOneInput } from '../../../core/accept/transaction-input.ts';
import { transactionInputSchema } from '../../../core/domain/transaction.ts';
import type { Api } from '../../../core/room.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import { checkFields, readJson, readQuery } from '../../../kit/http/body/body.ts';
import { withoutToken } from '../../../kit/http/consistency.ts';
import { allowedRoles, json, problemResponses, writesNothing } from '../../../kit/http/openapi.ts';
import { InvalidFields, jsonPointer } from '../../../kit/words/field-error.ts';
import {
  evaluate,
  evaluationExample,
  evaluationParameters,
  evaluationSchema,
} from '../queries/evaluate.ts';
import type { ScoreCache } from '../queries/read-score.ts';
import { changesSchema, whatIf, whatIfExample, whatIfSchema } from '../queries/what-if.ts';
import { findRefusal } from './scores.ts';

const ROLES = ['analyst', 'risk_officer'] as const;
/** Every field at its longest, escaped, has less. */
export const CHANGES_BYTES_MAX = 16 * 1024;

export function evaluateRoutes(
  { config, databases, models, ingest, limits }: Api,
  scores: ScoreCache,
): Hono<AppEnv> {
  const { RISK_LABEL_MATURITY_DAYS: maturityDays } = config;
  const { primary } = databases;
  const ofChanges = { ...limits, bytesMax: Math.min(limits.bytesMax, CHANGES_BYTES_MAX) };
  const routes = new Hono<AppEnv>();

  routes.post('/v1/evaluate', requireRole(...ROLES), async (c) => {
    withoutToken(c);
    const parameters = readQuery(c, evaluationParameters);
    const input = readOneInput(await readJson(c, limits));
    const context = readContext(ingest);
    refuseInvalid(input, context);
    const transaction = { ...toTransaction(input, context), receivedAtMs: context.nowMs };
    return c.json(await evaluate(primary, models, maturityDays, transaction, parameters));
  });

  routes.post('/v1/transactions/:id/what-if', requireRole('analyst'), async (c) => {
    withoutToken(c);
    const changes = checkFields(changesSchema, await readJson(c, ofChanges));
    const transactionId = c.req.param('id');
    // Only what is changed is checked: a corridor of the past may be closed today.
    refuseInvalid(changes, readContext(ingest));
    const result = await whatIf(primary, models, maturityDays, transactionId, changes);
    if (result.kind === 'answered') return c.json(result.answer);
    throw await findRefusal(c, databases, scores, transactionId, result);
  });

  return routes;
}

/** Checks the fields as ingest checks those of a transaction. @throws InvalidFields */
function refuseInvalid(fields: ContextFields, context: IngestContext): void {
  const invalid = findInvalid([fields], context);
  if (invalid.length === 0) return;
  throw new InvalidFields(
    invalid.map(({ field, detail }) => ({ pointer: jsonPointer([field]), detail })),
  );
}

export const evaluatePaths: ZodOpenApiPathsObject = {
  '/v1/transactions/{id}/what-if': {
    post: {
      operationId: 'changeTransaction',
      summary: 'What a scored transaction would score with other fields; nothing is stored',
      description:
        'By the rule set and model of the stored score, as of the `created_at` of the transaction or the one that is given, without the transaction itself. Features that the changes do not move keep the values that were logged, so no change gives the stored score.',
      ...writesNothing,
      tags: ['scores'],
      security: allowedRoles('analyst'),
      requestParams: {
        path: z.object({
          id: z.string().meta({ description: 'The transaction.', example: TRANSACTION_ID }),
        }),
      },
      requestBody: {
        required: true,
        content: json(changesSchema, { amount: '12.50', device_id: null }),
      },
      responses: {
        200: {
          description: 'Score, reasons, and the features that the changes move.',
          content: json(whatIfSchema, whatIfExample),
        },
        ...problemResponses(400, 404, 408, 409, 410, 413, 415, 422),
      },
    },
  },
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
          content: json(evaluationSchema, evaluationExample),
        },
        ...problemResponses(400, 408, 413, 415, 422),
      },
    },
  },
};
