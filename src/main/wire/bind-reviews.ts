/** The routes of the review, bound to the database. */
import { createImportRates } from '../../control/cases/import-rates.ts';
import { createPolicies } from '../../control/cases/policies.ts';
import { createReviewing } from '../../control/cases/reviewing.ts';
import type { RouteModule } from '../../http/app-env.ts';
import type { BodyLimits } from '../../http/body/body.ts';
import type { LiveDependencies } from '../../http/live/answer-live.ts';
import { exchangeRatesPaths, exchangeRatesRoutes } from '../../http/routes/exchange-rates.ts';
import { reviewPolicyPaths, reviewPolicyRoutes } from '../../http/routes/review-policy.ts';
import { reviewStepsPaths, reviewStepsRoutes } from '../../http/routes/review-steps.ts';
import { reviewsPaths, reviewsRoutes } from '../../http/routes/reviews.ts';
import { createReadCases } from '../../query/cases/reading-cases.ts';
import type { Databases } from '../../query/choose-database.ts';
import type { Metrics } from '../../runtime/metrics.ts';

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
