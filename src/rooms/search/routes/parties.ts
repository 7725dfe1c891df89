/** `/v1/accounts`, `/v1/merchants` and `/v1/devices`: what one of them did. */
import { Hono } from 'hono';
import { z } from 'zod';
import type { ZodOpenApiPathsObject } from 'zod-openapi';
import type { ActiveParty } from '../../../core/domain/party.ts';
import type { Api } from '../../../core/room.ts';
import { sayAge } from '../../../kit/http/answers/age.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  keptHeaders,
  notModified,
} from '../../../kit/http/answers/kept.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import type { AppEnv } from '../../../kit/http/app-env.ts';
import { requireRole } from '../../../kit/http/auth/auth.ts';
import { checkFields, readQuery } from '../../../kit/http/body/body.ts';
import { readToken, tokenParameter } from '../../../kit/http/consistency.ts';
import { allowedRoles, json, problemResponses } from '../../../kit/http/openapi.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { idParameter } from '../../../kit/words/list-parameters.ts';
import {
  accountExample,
  accountProfileSchema,
  deviceExample,
  deviceProfileSchema,
  merchantExample,
  merchantProfileSchema,
  type ProfileCache,
  profileParameters,
  readProfile,
} from '../queries/party-profile.ts';

const PARTIES: readonly ActiveParty[] = ['account', 'merchant', 'device'];
const path = z.object({ id: idParameter });

export function partiesRoutes(
  { databases }: Pick<Api, 'databases'>,
  profiles: ProfileCache,
): Hono<AppEnv> {
  const routes = new Hono<AppEnv>();
  for (const party of PARTIES) {
    routes.get(`/v1/${party}s/:id/profile`, requireRole('analyst'), async (c) => {
      const { id } = checkFields(path, c.req.param());
      const { at } = readQuery(c, profileParameters);
      const profile = await readProfile(databases, profiles, party, id, at, readToken(c));
      if (profile === undefined) {
        throw new Problem('not-found', `No transaction of the ${party} ${given(id)} is known.`);
      }
      return answerKept(c, sayAge(c, profile), ASK_AGAIN);
    });
  }
  return routes;
}

type Described = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly id: { readonly description: string; readonly example: string };
  readonly content: ReturnType<typeof json>;
};

const SUMMED = 'Summed from the stored transactions; windows end at `at`.';

const pathOf = (
  party: ActiveParty,
  { operationId, summary, description = SUMMED, id, content }: Described,
) => ({
  [`/v1/${party}s/{id}/profile`]: {
    get: {
      operationId,
      summary,
      description,
      tags: [`${party}s`],
      security: allowedRoles('analyst'),
      requestParams: {
        path: z.object({ id: idParameter.meta(id) }),
        query: profileParameters,
        header: conditionalHeader.extend(tokenParameter.shape),
      },
      responses: {
        200: {
          description: 'Sums and the newest transactions.',
          headers: keptHeaders,
          content,
        },
        ...notModified,
        ...problemResponses(404, 422),
      },
    },
  },
});

export const partiesPaths: ZodOpenApiPathsObject = {
  ...pathOf('account', {
    operationId: 'readAccountProfile',
    summary: 'What one account did in the last hour, day, week and month',
    id: { description: 'The account.', example: 'acc_17' },
    content: json(accountProfileSchema, accountExample),
  }),
  ...pathOf('merchant', {
    operationId: 'readMerchantProfile',
    summary: 'What one merchant did in the last hour, day, week and month',
    id: { description: 'The merchant.', example: 'm_9' },
    content: json(merchantProfileSchema, merchantExample),
  }),
  ...pathOf('device', {
    operationId: 'readDeviceProfile',
    summary: 'What happened on one device in the last hour, day, week and month',
    description: `${SUMMED} It is made for each request: without \`at\` each answer has another \`as_of\`, and so another \`ETag\`.`,
    id: { description: 'The device.', example: 'device-4f2a' },
    content: json(deviceProfileSchema, deviceExample),
  }),
};
