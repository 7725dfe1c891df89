/** Metrics of evidence. */
import type { MakeMetrics } from '../../kit/metrics/make-metrics.ts';

export function createEvidenceMetrics({ counter, gauge }: MakeMetrics) {
  return {
    sealed: counter('risk_evidence_scores_sealed_total', 'Scores that this worker sealed.'),
    missing: counter(
      'risk_evidence_scores_missing_total',
      'Scores whose rows were gone before the scores were sealed.',
    ),
    late: gauge(
      'risk_evidence_late_seconds',
      'Time for which sealing has failed or a checkpoint has been overdue; 0 in a worker that does not lead.',
    ),
    refused: gauge(
      'risk_evidence_refused',
      '1 while the log contradicts a published checkpoint, so nothing is sealed; 0 in a worker that does not lead.',
    ),
  };
}
