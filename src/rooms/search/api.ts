/** Additions of search to an API process. */
import { hasFreeze } from '../../core/domain/switch.ts';
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { pathsOf, routesOf } from '../../kit/http/operation.ts';
import { openCaches } from './caches.ts';
import { answerHotScores } from './hot-scores.ts';
import { evaluateOperations } from './routes/evaluate.ts';
import { readAccount, readDevice, readMerchant } from './routes/parties.ts';
import { scoreOperations } from './routes/scores.ts';
import { listScores, listTransactions } from './routes/search.ts';
import { findByKey, readOneTransaction } from './routes/transactions.ts';

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

export function openSearch(api: Api): ApiRoom {
  const { guards, ingest, metrics, recall, switches } = api;
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
      !hasFreeze(switches.current()) &&
      ingest.tokens() === null,
  };
  return {
    routes: [routesOf(Object.values(OF_TAG).flat(), api.limits, { ...api, ...caches })],
    answerFirst: (application) => answerHotScores(application, hot),
  };
}
