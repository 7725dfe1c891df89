/** `/v1/accounts`: what one account did. */

import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { given } from '../../domain/describe-issue.ts';
import { idParameter } from '../../domain/list-parameters.ts';
import { accountProfileSchema, profileParameters } from '../../query/party-profile.ts';
import type { Reading } from '../../query/reading.ts';
import { sayAge } from '../answers/age.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  keptHeaders,
  notModified,
} from '../answers/kept.ts';
import { Problem } from '../answers/problem.ts';
import type { AppEnv } from '../app-env.ts';
import { requireRole } from '../auth/auth.ts';
import { checkFields, readQuery } from '../body/body.ts';
import { readToken, tokenParameter } from '../consistency.ts';
import { accountProfile } from '../examples/parties.ts';
import { allowedRoles, json, problemResponses } from '../openapi.ts';

const path = z.object({ id: idParameter.meta({ description: 'The account.', example: 'acc_17' }) });

export function accountsRoutes({ readProfile }: Reading): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/v1/accounts/:id/profile', requireRole('analyst'), async (c) => {
    const { id } = checkFields(path, c.req.param());
    const { at } = readQuery(c, profileParameters);
    const profile = await readProfile('account', id, at, readToken(c));
    if (profile === undefined) {
      throw new Problem('not-found', `No transaction of the account ${given(id)} is known.`);
    }
    return answerKept(c, sayAge(c, profile), ASK_AGAIN);
  });

  return routes;
}

export const accountsPaths: ZodOpenApiPathsObject = {
  '/v1/accounts/{id}/profile': {
    get: {
      operationId: 'readAccountProfile',
      summary: 'What one account did in the last hour, day, week and month',
      description: 'Summed from the stored transactions; windows end at `at`.',
      tags: ['accounts'],
      security: allowedRoles('analyst'),
      requestParams: {
        path,
        query: profileParameters,
        header: conditionalHeader.extend(tokenParameter.shape),
      },
      responses: {
        200: {
          description: 'Sums and the newest transactions.',
          headers: keptHeaders,
          content: json(accountProfileSchema, accountProfile),
        },
        ...notModified,
        ...problemResponses(404, 422),
      },
    },
  },
};
