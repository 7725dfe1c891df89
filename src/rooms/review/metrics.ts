/** Metrics of the review of transactions by people. */
import type { MakeMetrics } from '../../kit/metrics/make-metrics.ts';

export type ReviewMetrics = ReturnType<typeof createReviewMetrics>;

export function createReviewMetrics({ counter, gauge }: MakeMetrics) {
  return {
    casesOpened: counter(
      'risk_review_cases_opened_total',
      'Review cases opened, by what raised a case and by priority.',
      ['source', 'priority'],
    ),
    casesClosed: counter(
      'risk_review_cases_closed_total',
      'Review cases closed by a final decision.',
      ['disposition', 'priority'],
    ),
    casesWaiting: gauge(
      'risk_review_cases_waiting',
      'Review cases that are not decided; 0 in a worker that does not lead.',
      ['priority'],
    ),
    casesLate: gauge(
      'risk_review_cases_late',
      'Waiting review cases whose deadline has passed, or passes within 30 minutes.',
      ['priority', 'deadline'],
    ),
    caseAge: gauge('risk_review_case_age_seconds', 'Age of the oldest waiting review case.', [
      'priority',
    ]),
    caseOverflow: gauge(
      'risk_review_overflow_cases',
      'Review cases that meet an overflow rule, by the action that it asks for.',
      ['priority', 'action'],
    ),
    casesUnrated: counter(
      'risk_review_cases_unrated_total',
      'Review cases opened without an exchange rate: they count as high value.',
    ),
  };
}
