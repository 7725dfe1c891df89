/** What search adds to an API process. */
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { openCaches } from './caches.ts';
import { answerHotScores } from './hot-scores.ts';
import { evaluatePaths, evaluateRoutes } from './routes/evaluate.ts';
import { partiesPaths, partiesRoutes } from './routes/parties.ts';
import { scoresPaths, scoresRoutes } from './routes/scores.ts';
import { scoreListPaths, searchRoutes, transactionListPaths } from './routes/search.ts';
import { transactionsPaths, transactionsRoutes } from './routes/transactions.ts';

export const document: DocumentPart = {
  paths: {
    ...transactionListPaths,
    ...transactionsPaths,
    ...scoreListPaths,
    ...scoresPaths,
    ...evaluatePaths,
    ...partiesPaths,
  },
  tags: {
    accounts: 'What an account did.',
    devices: 'What happened on a device.',
    merchants: 'What a merchant did.',
    scores: 'Scores and why they are what they are.',
  },
};

export function openSearch(api: Api): ApiRoom {
  const { config, guards, metrics, recall } = api;
  const { scores, profiles } = openCaches(api);
  // Who has posted a label sees it at once in this process.
  api.afterLabels.add(profiles.proveAnew);
  const hot = { recall, peek: scores.peek, metrics, degradation: guards.health.level };
  return {
    routes: [
      searchRoutes(api),
      transactionsRoutes(api, scores),
      scoresRoutes(api, scores),
      evaluateRoutes(api, scores),
      partiesRoutes(api, profiles),
    ],
    // Requests of a limited client are counted in the application.
    answerFirst: (application) =>
      config.RISK_CLIENT_REQUESTS_PER_SECOND > 0 ? application : answerHotScores(application, hot),
  };
}
