/** What search adds to an API process. */
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { bindEvaluating } from './bind-evaluate.ts';
import { bindReading } from './bind-reading.ts';
import { answerHotScores } from './hot-scores.ts';
import { evaluatePaths, evaluateRoutes } from './routes/evaluate.ts';
import { partiesPaths, partiesRoutes } from './routes/parties.ts';
import { scoresPaths, scoresRoutes } from './routes/scores.ts';
import { transactionsPaths, transactionsRoutes } from './routes/transactions.ts';

export const document: DocumentPart = {
  paths: { ...transactionsPaths, ...scoresPaths, ...evaluatePaths, ...partiesPaths },
  tags: {
    accounts: 'What an account did.',
    devices: 'What happened on a device.',
    merchants: 'What a merchant did.',
    scores: 'Scores and why they are what they are.',
  },
};

export function openSearch(api: Api): ApiRoom {
  const { config, databases, models, ingest, limits, metrics, guards, recall } = api;
  const reading = bindReading(config, api);
  // Who has posted a label sees it at once in this process.
  api.afterLabels.add(reading.noteLabels);
  const evaluating = bindEvaluating(
    ...[databases.primary, models, config.RISK_LABEL_MATURITY_DAYS, ingest],
  );
  const hot = { recall, peekScore: reading.peekScore, metrics, degradation: guards.health.level };
  return {
    routes: [
      transactionsRoutes(reading),
      scoresRoutes(reading),
      evaluateRoutes(evaluating, reading, limits),
      partiesRoutes(reading),
    ],
    // Requests of a limited client are counted in the application.
    answerFirst: (application) =>
      config.RISK_CLIENT_REQUESTS_PER_SECOND > 0 ? application : answerHotScores(application, hot),
  };
}
