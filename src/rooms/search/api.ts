/** Additions of search to an API process. */
import { z } from 'zod';
import type { ActiveParty } from '../../core/domain/transaction.ts';
import { databasesFor } from '../../core/read-for.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import { sayAge } from '../../kit/http/answers/answer-headers.ts';
import { ASK_AGAIN, answerKept, conditionalHeader, keptHeaders, notModified } from '../../kit/http/answers/kept.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, operation, pathsOf, routesOf } from '../../kit/http/operation.ts';
import { partyToken } from '../../kit/http/personal-edge.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { idParameter } from '../../kit/words/list-parameters.ts';
import { openCaches, type Parts } from './caches.ts';
import { describeProfile, profileParameters, readProfile } from './queries/party-profile.ts';
import { evaluateOperations } from './routes/evaluate.ts';
import { scoreOperations } from './routes/scores.ts';
import { listScores, listTransactions } from './routes/search.ts';
import { findByKey, readOneTransaction } from './routes/transactions.ts';

/** `/v1/accounts`, `/v1/merchants` and `/v1/devices`: what one of them did. */

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
const readAccount = profileOperation('account', 'AccountProfile', ACCOUNT, {
  operationId: 'readAccountProfile',
  summary: 'What one account did in the last hour, day, week and month',
});

const MERCHANT = { description: 'The merchant.', example: 'm_9' };
const readMerchant = profileOperation('merchant', 'MerchantProfile', MERCHANT, {
  operationId: 'readMerchantProfile',
  summary: 'What one merchant did in the last hour, day, week and month',
});

const DEVICE = { description: 'The device.', example: 'device-4f2a' };
const readDevice = profileOperation('device', 'DeviceProfile', DEVICE, {
  operationId: 'readDeviceProfile',
  summary: 'What happened on one device in the last hour, day, week and month',
  description: `${SUMMED} It is made for each request: without \`at\` each answer has another \`as_of\`, and so another \`ETag\`.`,
});

const OF_TAG = {
  transactions: [listTransactions, readOneTransaction, findByKey],
  scores: [listScores, ...scoreOperations, ...evaluateOperations],
  accounts: [readAccount],
  merchants: [readMerchant],
  devices: [readDevice],
};

export const document: DocumentPart = {
  paths: Object.assign({}, ...Object.entries(OF_TAG).map(([tag, all]) => pathsOf(all, tag))),
  tags: {
    accounts: 'What an account did.',
    devices: 'What happened on a device.',
    merchants: 'What a merchant did.',
    scores: 'Scores and why they are what they are.',
  },
};

export function open(api: Api): ApiRoom {
  const caches = openCaches(api);
  // A caller that has posted a label sees the label at once in this process.
  api.afterLabels.add(caches.profiles.proveAnew);
  return { routes: [routesOf(Object.values(OF_TAG).flat(), api.limits, { ...api, ...caches })] };
}
