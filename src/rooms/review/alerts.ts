/** Alerts on review cases. */
import type { Alert } from '../../kit/alerts/alert.ts';

const missed = (priorities: string) =>
  `sum by (market, priority) (risk_review_cases_late{deadline="missed",priority${priorities}}) > 0`;

export const alerts: readonly Alert[] = [
  {
    name: 'ReviewLate',
    level: 'service',
    summary: '{{ $value }} review cases of {{ $labels.priority }} have missed their deadline.',
    rules: [
      { severity: 'warning', when: () => missed('!="P0"') },
      { severity: 'critical', when: () => missed('="P0"') },
    ],
  },
  {
    name: 'ReviewOverflows',
    level: 'service',
    summary:
      '{{ $value }} review cases of {{ $labels.priority }} meet a rule of overflow ({{ $labels.action }}).',
    runbook: 'ReviewLate',
    rules: [
      {
        severity: 'warning',
        when: () => 'sum by (market, priority, action) (risk_review_overflow_cases) > 0',
      },
    ],
  },
  {
    name: 'ReviewUnrated',
    level: 'service',
    summary: 'Review cases have no exchange rate, and count as high value.',
    rules: [
      {
        severity: 'warning',
        when: ({ hour }) =>
          `sum by (market) (increase(risk_review_cases_unrated_total[${hour}])) > 0`,
      },
    ],
  },
];
