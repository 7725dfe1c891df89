/** What the review adds to an API process. */
import type { Api, ApiRoom } from '../../core/room.ts';
import type { DocumentPart } from '../../kit/http/document.ts';
import { createImportRates } from './change/import-rates.ts';
import { createPolicies } from './change/policies.ts';
import { createReviewing } from './change/reviewing.ts';
import { createReviewMetrics } from './metrics.ts';
import { createReadCases } from './queries/reading-cases.ts';
import { exchangeRatesPaths, exchangeRatesRoutes } from './routes/exchange-rates.ts';
import { reviewPolicyPaths, reviewPolicyRoutes } from './routes/review-policy.ts';
import { reviewStepsPaths, reviewStepsRoutes } from './routes/review-steps.ts';
import { reviewsPaths, reviewsRoutes } from './routes/reviews.ts';

export const document: DocumentPart = {
  paths: { ...reviewPolicyPaths, ...exchangeRatesPaths, ...reviewsPaths, ...reviewStepsPaths },
  tags: { reviews: 'Cases that people decide.' },
};

export function openReview({
  databases,
  limits,
  metrics,
  authenticate,
  draining,
  log,
}: Api): ApiRoom {
  const { primary } = databases;
  const own = createReviewMetrics(metrics.make);
  const reviewing = createReviewing(primary);
  const reading = createReadCases(databases);
  const live = { authenticate, signal: draining, log };
  return {
    routes: [
      reviewPolicyRoutes(createPolicies(primary), reading, limits, live),
      exchangeRatesRoutes(createImportRates(primary), limits),
      reviewsRoutes(reviewing, reading, limits, own),
      reviewStepsRoutes(reviewing, limits, own),
    ],
  };
}
