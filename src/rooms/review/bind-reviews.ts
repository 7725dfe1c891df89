/** The routes of the review, bound to the database. */
import type { Databases } from '../../kit/database/replica/choose-database.ts';
import type { RouteModule } from '../../kit/http/app-env.ts';
import type { BodyLimits } from '../../kit/http/body/body.ts';
import type { LiveDependencies } from '../../kit/http/live/answer-live.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import { createImportRates } from './change/import-rates.ts';
import { createPolicies } from './change/policies.ts';
import { createReviewing } from './change/reviewing.ts';
import { createReadCases } from './queries/reading-cases.ts';
import { exchangeRatesPaths, exchangeRatesRoutes } from './routes/exchange-rates.ts';
import { reviewPolicyPaths, reviewPolicyRoutes } from './routes/review-policy.ts';
import { reviewStepsPaths, reviewStepsRoutes } from './routes/review-steps.ts';
import { reviewsPaths, reviewsRoutes } from './routes/reviews.ts';

export function bindReviews(
  databases: Pick<Databases, 'primary' | 'now'>,
  limits: BodyLimits,
  live: LiveDependencies,
  metrics: Pick<Metrics, 'claims' | 'casesOpened' | 'casesUnrated'>,
): RouteModule[] {
  const { primary } = databases;
  const reviewing = createReviewing(primary);
  const reading = createReadCases(databases);
  const policies = createPolicies(primary);
  return [
    { routes: reviewPolicyRoutes(policies, reading, limits, live), paths: reviewPolicyPaths },
    { routes: exchangeRatesRoutes(createImportRates(primary), limits), paths: exchangeRatesPaths },
    { routes: reviewsRoutes(reviewing, reading, limits, metrics), paths: reviewsPaths },
    { routes: reviewStepsRoutes(reviewing, limits, metrics), paths: reviewStepsPaths },
  ];
}
