/** Additions of search to an API process. */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { z } from 'zod';
import { hasFreeze } from '../../core/domain/control.ts';
import type { ActiveParty } from '../../core/domain/transaction.ts';
import { databasesFor } from '../../core/read-for.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import type { ServedAnswer } from '../../kit/caches/answer-cache.ts';
import { ageOf, sayAge } from '../../kit/http/answers/answer-headers.ts';
import {
  ASK_AGAIN,
  answerKept,
  conditionalHeader,
  headersOf,
  KEEP_A_DAY,
  keptHeaders,
  notModified,
} from '../../kit/http/answers/kept.ts';
import { Problem } from '../../kit/http/answers/problem.ts';
import { type Authenticator, holdsOne } from '../../kit/http/auth/auth.ts';
import { readCredential } from '../../kit/http/auth/credential.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { requestIdFor, USUAL_HEADERS } from '../../kit/http/edge.ts';
import { answer, operation, pathsOf, routesOf } from '../../kit/http/operation.ts';
import { partyToken } from '../../kit/http/personal-edge.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { given } from '../../kit/words/describe-issue.ts';
import { idParameter } from '../../kit/words/list-parameters.ts';
import { clientSeen } from '../../kit/words/principal.ts';
import { openCaches, type Parts } from './caches.ts';
import { describeProfile, profileParameters, readProfile } from './queries/party-profile.ts';
import type { ScoreCache } from './queries/read-transaction.ts';
import { evaluateOperations } from './routes/evaluate.ts';
import { SCORE_READERS, scoreOperations } from './routes/scores.ts';
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

type HotDependencies = Pick<Authenticator, 'recall'> &
  Pick<ScoreCache, 'peek'> & {
    readonly metrics: Pick<Metrics, 'httpDuration'>;
    readonly degradation: () => number;
    /** False while requests are limited, a freeze is in force, or accounts are tokens: only the application handles these cases. */
    readonly isPlain: () => boolean;
  };

/** An id without escapes, and no query. */
const TARGET = /^\/v1\/scores\/([\w-]+)$/;
/** The application judges all other hosts. */
const PLAIN_HOST = /^[a-z0-9.-]+(?::(?:[1-5]\d{3,4}|[6-9]\d{3}))?$/;
/** Headers that change the answer. */
const DECIDING = ['cookie', 'prefer', 'if-none-match'] as const;
const LABELS = { method: 'GET', route: '/v1/scores/:id', status: '200' };
/** An answer has a `Cache-Control` of its own. */
const USUAL = USUAL_HEADERS.filter(([name]) => name !== 'Cache-Control').flat();

export function open(api: Api): ApiRoom {
  const { guards, ingest, metrics, recall, controls } = api;
  const caches = openCaches(api);
  // A caller that has posted a label sees the label at once in this process.
  api.afterLabels.add(caches.profiles.proveAnew);
  const { peek } = caches.scores;
  const hot = {
    recall,
    peek,
    metrics,
    degradation: guards.health.level,
    isPlain: () =>
      !ingest.limiter.limits('requests') &&
      !hasFreeze(controls.current()) &&
      ingest.tokens() === null,
  };
  return {
    routes: [routesOf(Object.values(OF_TAG).flat(), api.limits, { ...api, ...caches })],
    answerFirst: (application) => answerHotScores(application, hot),
  };
}

/**
 * Answers `GET /v1/scores/{id}` in front of the application where both the key and the score are in memory: what
 * routes/scores.ts would answer, at about half the processor time. Everything else goes to the application: other keys,
 * cookies, headers that change the answer, and answers other than 200.
 * @param listener the application
 */
export function answerHotScores(
  listener: RequestListener,
  dependencies: HotDependencies,
): RequestListener {
  return (request, response) => {
    const startedAt = performance.now();
    const served = findServed(request, dependencies);
    if (served === undefined) return listener(request, response);
    send(request, response, served, dependencies.degradation());
    dependencies.metrics.httpDuration.observe(LABELS, (performance.now() - startedAt) / 1000);
  };
}

function findServed(
  { method, url = '', headers, rawHeaders }: IncomingMessage,
  { recall, peek, isPlain }: HotDependencies,
): ServedAnswer | undefined {
  if (method !== 'GET') return undefined;
  const id = TARGET.exec(url)?.[1];
  if (id === undefined || !isPlain() || !PLAIN_HOST.test(headers.host ?? '')) return undefined;
  if (DECIDING.some((name) => headers[name] !== undefined)) return undefined;
  // A header that occurs twice counts once here, and not at all or joined there.
  if (2 * Object.keys(headers).length !== rawHeaders.length) return undefined;
  const credential = readCredential(headers);
  if (credential?.kind !== 'key') return undefined;
  const principal = recall(credential);
  if (principal === undefined || !holdsOne(principal, SCORE_READERS)) return undefined;
  return peek({ transactionId: id, client: clientSeen(principal) });
}

function send(
  request: IncomingMessage,
  response: ServerResponse,
  { answer, ageMs }: ServedAnswer,
  degradation: number,
): void {
  const headers = headersOf(answer, KEEP_A_DAY);
  const head = [
    ...USUAL,
    'X-Request-Id',
    requestIdFor(request.headers['x-request-id']),
    'Content-Type',
    'application/json',
    'ETag',
    headers.ETag,
    'Cache-Control',
    headers['Cache-Control'],
    'Vary',
    headers.Vary,
    'Content-Length',
    String(Buffer.byteLength(answer.text)),
  ];
  if (ageMs !== undefined) head.push('Age', ageOf(ageMs));
  if (degradation > 0) head.push('X-Risk-Degradation', String(degradation));
  response.writeHead(200, head).end(answer.text);
}
