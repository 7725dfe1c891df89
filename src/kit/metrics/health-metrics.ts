/** Metrics of breakers and levels of degradation; a part of metrics.ts. */
import type { MakeMetrics } from './make-metrics.ts';

export function createHealthMetrics({ counter, gauge }: Pick<MakeMetrics, 'counter' | 'gauge'>) {
  return {
    breakerState: gauge('risk_breaker_state', 'Circuit breakers: 0 closed, 1 half-open, 2 open.', [
      'breaker',
    ]),
    breakerOpened: counter('risk_breaker_opened_total', 'Openings of a circuit breaker.', [
      'breaker',
    ]),
    degradation: gauge('risk_degradation_level', 'Degradation level of this process, 0 to 4.'),
    corridorDegradation: gauge(
      'risk_corridor_degradation_level',
      'Degradation level of a corridor as this process sees it, 0 to 4.',
      ['corridor'],
    ),
  };
}
