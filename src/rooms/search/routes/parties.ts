/** `/v1/accounts`, `/v1/merchants` and `/v1/devices`: what one of them did. */
import { z } from 'zod';
import type { ActiveParty } from '../../../core/domain/party.ts';
import { databasesFor } from '../../../core/read-for.ts';
import { sayAge } from '../../../kit/http/answers/answer-headers.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  keptHeaders,
  notModified,
} from '../../../kit/http/answers/kept.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import { answer, operation } from '../../../kit/http/operation.ts';
import { partyToken } from '../../../kit/http/personal-edge.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { idParameter } from '../../../kit/words/list-parameters.ts';
import type { Parts } from '../caches.ts';
import { describeProfile, profileParameters, readProfile } from '../queries/party-profile.ts';

const SUMMED = 'Summed from the stored transactions; windows end at `at`.';

/** @param id an example, with what the id in the path names */
function profileOperation(
  party: ActiveParty,
  schemaId: string,
  id: { readonly description: string; readonly example: string },
  described: {
    readonly operationId: string;
    readonly summary: string;
    readonly description?: string;
  },
) {
  const { schema, example } = describeProfile(party, schemaId, id.example);
  return operation({
    description: SUMMED,
    ...described,
    method: 'get',
    at: `/v1/${party}s/{id}/profile`,
    roles: ['analyst'],
    path: z.object({ id: idParameter.meta(id) }),
    query: profileParameters,
    header: conditionalHeader,
    answers: {
      200: answer('Sums and the newest transactions.', schema, example, keptHeaders),
      ...notModified,
    },
    problems: [404],
    run: async ({ path: { id: asked }, query: { at }, c }, { databases, profiles }: Parts) => {
      const id = await partyToken(c, party, asked);
      const profile = await readProfile(databasesFor(c, databases), profiles, party, id, at);
      if (profile !== undefined) return answerKept(c, sayAge(c, profile), ASK_AGAIN);
      throw new Problem('not-found', `No transaction of the ${party} ${given(id)} is known.`);
    },
  });
}

const ACCOUNT = { description: 'The account.', example: 'acc_17' };
export const readAccount = profileOperation('account', 'AccountProfile', ACCOUNT, {
  operationId: 'readAccountProfile',
  summary: 'What one account did in the last hour, day, week and month',
});

const MERCHANT = { description: 'The merchant.', example: 'm_9' };
export const readMerchant = profileOperation('merchant', 'MerchantProfile', MERCHANT, {
  operationId: 'readMerchantProfile',
  summary: 'What one merchant did in the last hour, day, week and month',
});

const DEVICE = { description: 'The device.', example: 'device-4f2a' };
export const readDevice = profileOperation('device', 'DeviceProfile', DEVICE, {
  operationId: 'readDeviceProfile',
  summary: 'What happened on one device in the last hour, day, week and month',
  description: `${SUMMED} It is made for each request: without \`at\` each answer has another \`as_of\`, and so another \`ETag\`.`,
});
