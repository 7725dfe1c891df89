/** Additions of search to an API process. */
import { z } from 'zod';
import { MEMBERS } from '../../core/accept/examples.ts';
import type { ActiveParty } from '../../core/domain/transaction.ts';
import { readFor } from '../../core/read-for.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import { ageHeaders } from '../../kit/http/answers/answer-headers.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { answer, pathsOf, read, routesOf } from '../../kit/http/operation.ts';
import { partyToken } from '../../kit/http/personal-edge.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { idParameter } from '../../kit/words/list-parameters.ts';
import { profileParameters, profileSchema, readPartyProfile } from './queries/party-profile.ts';
import { createScoreCache, type Parts } from './queries/read-transaction.ts';
import { evaluateOperations } from './routes/evaluate.ts';
import { scoreOperations } from './routes/scores.ts';
import { listTransactions } from './routes/search.ts';
import { findByKey, readOneTransaction } from './routes/transactions.ts';

/** `GET /v1/accounts/{id}/profile`, and the same of merchants and devices. */
function profileOperation(party: ActiveParty) {
  const name = `${party.charAt(0).toUpperCase()}${party.slice(1)}Profile`;
  const example = MEMBERS[`${party}_id`];
  return read({
    at: `/v1/${party}s/{id}/profile`,
    operationId: `read${name}`,
    summary: `What one ${party} did in the last hour, day, week and month`,
    description: 'Summed from the stored transactions; windows end at `at`.',
    roles: ['analyst'],
    path: z.object({ id: idParameter.meta({ description: `The ${party}.`, example }) }),
    query: profileParameters,
    headers: ageHeaders,
    answers: {
      200: answer('Sums and the newest transactions.', profileSchema(party, name)),
    },
    problems: [404],
    run: async ({ path: { id: asked }, query: { at }, c }, { databases }: Parts) => {
      const id = await partyToken(c, party, asked);
      const profile = await readFor(c, databases, (from) =>
        readPartyProfile(from, party, id, at ?? databases.now()),
      );
      if (profile !== undefined) return { [`${party}_id`]: id, ...profile };
      throw new Problem('not-found', `No transaction of the ${party} ${given(id)} is known.`);
    },
  });
}

const OF_TAG = {
  transactions: [listTransactions, readOneTransaction, findByKey],
  scores: [...scoreOperations, ...evaluateOperations],
  accounts: [profileOperation('account')],
  merchants: [profileOperation('merchant')],
  devices: [profileOperation('device')],
};

export const document: DocumentPart = {
  paths: Object.assign({}, ...Object.entries(OF_TAG).map(([tag, all]) => pathsOf(all, tag))),
  tags: {
    accounts: 'What an account did.',
    devices: 'What a device did.',
    merchants: 'What a merchant did.',
    scores: 'Scores and why they are what they are.',
  },
};

export function open(api: Api): ApiRoom {
  const scores = createScoreCache(api.databases, api.metrics);
  return { routes: [routesOf(Object.values(OF_TAG).flat(), api.limits, { ...api, scores })] };
}
