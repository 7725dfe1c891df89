/** Metrics of exports. */
import type { MakeMetrics } from '../../kit/metrics/make-metrics.ts';

export type ExportMetrics = ReturnType<typeof createExportMetrics>;

export function createExportMetrics({ counter }: MakeMetrics) {
  return {
    exportRows: counter('risk_export_rows_total', 'Rows of exports sent, by format.', ['format']),
    exportsEnded: counter(
      'risk_exports_ended_total',
      'Exports by format and outcome: complete, broken_off.',
      ['format', 'outcome'],
    ),
  };
}
