/** Alerts on evidence. */
import type { Alert } from '../../kit/alerts/alert.ts';

export const alerts: readonly Alert[] = [
  {
    name: 'EvidenceRefused',
    level: 'service',
    summary: 'The log of evidence contradicts a published checkpoint, so nothing is sealed.',
    rules: [{ severity: 'critical', when: () => 'max by (market) (risk_evidence_refused) > 0' }],
  },
  {
    name: 'EvidenceLate',
    level: 'service',
    summary: 'Sealing or signing of evidence is late by {{ $value | humanizeDuration }}.',
    runbook: 'EvidenceRefused',
    rules: [
      {
        severity: 'warning',
        when: (windows) =>
          `max by (market) (risk_evidence_late_seconds) > ${windows.seconds('fiveMinutes')}`,
      },
    ],
  },
];
