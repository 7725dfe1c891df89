/** Metrics of evidence. */
import type { MakeMetrics } from '../../kit/metrics/make-metrics.ts';

export function createEvidenceMetrics({ counter, gauge }: MakeMetrics) {
  return {
    sealed: counter('risk_evidence_scores_sealed_total', 'Scores that this worker sealed.'),
    missing: counter(
      'risk_evidence_scores_missing_total',
      'Scores that were stored and gone before they were sealed.',
    ),
    late: gauge(
      'risk_evidence_late_seconds',
      'For how long sealing fails, or a checkpoint is overdue; 0 in a worker that does not lead.',
    ),
    refused: gauge(
      'risk_evidence_refused',
      '1 while the log contradicts a published checkpoint and takes no leaves; 0 in a worker that does not lead.',
    ),
  };
}
