/** `/v1/accounts`, `/v1/merchants` and `/v1/devices`: what one of them did. */
import { z } from 'zod';
import type { ActiveParty } from '../../../core/domain/party.ts';
import { sayAge } from '../../../kit/http/answers/age.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  keptHeaders,
  notModified,
} from '../../../kit/http/answers/kept.ts';
import { Problem } from '../../../kit/http/answers/problem.ts';
import { readToken, tokenParameter } from '../../../kit/http/consistency.ts';
import { answer, operation } from '../../../kit/http/operation.ts';
import { given } from '../../../kit/words/describe-issue.ts';
import { idParameter } from '../../../kit/words/list-parameters.ts';
import {
  accountExample,
  accountProfileSchema,
  deviceExample,
  deviceProfileSchema,
  merchantExample,
  merchantProfileSchema,
  profileParameters,
  readProfile,
} from '../queries/party-profile.ts';
import type { Parts } from './parts.ts';

type Described = {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  /** What the id in the path names. */
  readonly id: { readonly description: string; readonly example: string };
  readonly said: ReturnType<typeof answer>;
};

const SUMMED = 'Summed from the stored transactions; windows end at `at`.';
const SAID = 'Sums and the newest transactions.';

function profileOperation(party: ActiveParty, { id: named, said, ...described }: Described) {
  return operation({
    description: SUMMED,
    ...described,
    method: 'get',
    at: `/v1/${party}s/{id}/profile`,
    roles: ['analyst'],
    path: z.object({ id: idParameter.meta(named) }),
    query: profileParameters,
    header: conditionalHeader.extend(tokenParameter.shape),
    answers: { 200: { ...said, headers: keptHeaders }, ...notModified },
    problems: [404],
    run: async ({ path: { id }, query: { at }, c }, { databases, profiles }: Parts) => {
      const profile = await readProfile(databases, profiles, party, id, at, readToken(c));
      if (profile !== undefined) return answerKept(c, sayAge(c, profile), ASK_AGAIN);
      throw new Problem('not-found', `No transaction of the ${party} ${given(id)} is known.`);
    },
  });
}

export const readAccount = profileOperation('account', {
  operationId: 'readAccountProfile',
  summary: 'What one account did in the last hour, day, week and month',
  id: { description: 'The account.', example: 'acc_17' },
  said: answer(SAID, accountProfileSchema, accountExample),
});

export const readMerchant = profileOperation('merchant', {
  operationId: 'readMerchantProfile',
  summary: 'What one merchant did in the last hour, day, week and month',
  id: { description: 'The merchant.', example: 'm_9' },
  said: answer(SAID, merchantProfileSchema, merchantExample),
});

export const readDevice = profileOperation('device', {
  operationId: 'readDeviceProfile',
  summary: 'What happened on one device in the last hour, day, week and month',
  description: `${SUMMED} It is made for each request: without \`at\` each answer has another \`as_of\`, and so another \`ETag\`.`,
  id: { description: 'The device.', example: 'device-4f2a' },
  said: answer(SAID, deviceProfileSchema, deviceExample),
});
