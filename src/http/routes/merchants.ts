/** `/v1/merchants`: what one merchant did. */

import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import { given } from '../../domain/describe-issue.ts';
import { idParameter } from '../../domain/list-parameters.ts';
import { merchantProfileSchema, profileParameters } from '../../query/party-profile.ts';
import type { Reading } from '../../query/reading.ts';
import { ageHeaders, sayAge } from '../answers/age.ts';
import { Problem } from '../answers/problem.ts';
import type { AppEnv } from '../app-env.ts';
import { requireRole } from '../auth/auth.ts';
import { checkFields, readQuery } from '../body/body.ts';
import { merchantProfile } from '../examples/parties.ts';
import { allowedRoles, json, problemResponses } from '../openapi.ts';

const path = z.object({ id: idParameter.meta({ description: 'The merchant.', example: 'm_9' }) });

export function merchantsRoutes({ readMerchantProfile }: Reading): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();

  routes.get('/v1/merchants/:id/profile', requireRole('analyst'), async (c) => {
    const { id } = checkFields(path, c.req.param());
    const { at } = readQuery(c, profileParameters);
    const profile = sayAge(c, await readMerchantProfile(id, at));
    if (profile === undefined) {
      throw new Problem('not-found', `No transaction of the merchant ${given(id)} is known.`);
    }
    return c.json({ merchant_id: id, ...profile });
  });

  return routes;
}

export const merchantsPaths: ZodOpenApiPathsObject = {
  '/v1/merchants/{id}/profile': {
    get: {
      operationId: 'readMerchantProfile',
      summary: 'What one merchant did in the last hour, day, week and month',
      description: 'Summed from the stored transactions; windows end at `at`.',
      tags: ['merchants'],
      security: allowedRoles('analyst'),
      requestParams: { path, query: profileParameters },
      responses: {
        200: {
          description: 'Sums and the newest transactions.',
          headers: ageHeaders,
          content: json(merchantProfileSchema, merchantProfile),
        },
        ...problemResponses(404, 422),
      },
    },
  },
};
