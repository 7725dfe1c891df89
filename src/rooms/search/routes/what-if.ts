/** `/v1/transactions/{id}/what-if`: scores a scored transaction with other fields; nothing is stored. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { TRANSACTION_ID } from '../../../core/accept/examples.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import { type BodyLimits, checkFields, readJson } from '../../../kit/http/body/body.ts';
import { withoutToken } from '../../../kit/http/consistency.ts';
import { allowedRoles, json, problemResponses, writesNothing } from '../../../kit/http/openapi.ts';
import { whatIf as example } from '../examples/explanations.ts';
import type { Reading } from '../queries/reading.ts';
import {
  type Changes,
  changesSchema,
  type WhatIfResult,
  whatIfSchema,
} from '../queries/what-if.ts';
import { findRefusal } from './scores.ts';

/** Every field at its longest, escaped, has less. */
export const CHANGES_BYTES_MAX = 16 * 1024;

export type WhatIf = (transactionId: string, changes: Changes) => Promise<WhatIfResult>;

export function whatIfRoutes(
  whatIf: WhatIf,
  reading: Pick<Reading, 'readScore'>,
  limits: BodyLimits,
): Hono<AppEnv> {
  const bytesMax = Math.min(limits.bytesMax, CHANGES_BYTES_MAX);
  const routes = new Hono<AppEnv>();
  routes.post('/v1/transactions/:id/what-if', requireRole('analyst'), async (c) => {
    withoutToken(c);
    const changes = checkFields(changesSchema, await readJson(c, { ...limits, bytesMax }));
    const transactionId = c.req.param('id');
    const result = await whatIf(transactionId, changes);
    if (result.kind === 'answered') return c.json(result.answer);
    throw await findRefusal(c, reading, transactionId, result);
  });
  return routes;
}

export const whatIfPaths: ZodOpenApiPathsObject = {
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
          content: json(whatIfSchema, example),
        },
        ...problemResponses(400, 404, 408, 409, 410, 413, 415, 422),
      },
    },
  },
};
