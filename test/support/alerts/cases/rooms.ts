/** Cases of alerts on review and webhooks. */
import { type AlertCase, MARKET, steps, worker } from './case.ts';

export const ROOM_CASES: readonly AlertCase[] = [
  {
    alert: 'ReviewLate',
    what: 'two cases of P2 are late',
    series: {
      [`risk_review_cases_late${worker('priority="P2",deadline="missed"')}`]: steps(0, 2, 2),
    },
    quietAt: '1m',
    labels: { ...MARKET, priority: 'P2' },
    value: '2',
  },
  {
    alert: 'ReviewLate',
    what: 'a case of P0 is late, and one of P1 is near its deadline',
    series: {
      [`risk_review_cases_late${worker('priority="P0",deadline="missed"')}`]: '1x40',
      [`risk_review_cases_late${worker('priority="P1",deadline="near"')}`]: '1x40',
    },
    fires: ['critical'],
    labels: { ...MARKET, priority: 'P0' },
    value: '1',
  },
  {
    alert: 'ReviewOverflows',
    what: 'a rule of overflow is met',
    series: {
      [`risk_review_overflow_cases${worker('priority="P1",action="call"')}`]: steps(0, 2, 40),
    },
    quietAt: '1m',
    labels: { ...MARKET, priority: 'P1', action: 'call' },
    value: '40',
  },
  {
    alert: 'ReviewUnrated',
    what: 'the first case without a rate',
    series: { [`risk_review_cases_unrated_total${worker()}`]: steps(0, 2, 1) },
    quietAt: '1m',
  },
  {
    alert: 'EvidenceRefused',
    what: 'the log contradicts a checkpoint',
    series: { [`risk_evidence_refused${worker()}`]: steps(0, 2, 1) },
    quietAt: '1m',
    fires: ['critical'],
  },
  {
    alert: 'EvidenceLate',
    what: 'a checkpoint is overdue for 301 s',
    series: { [`risk_evidence_late_seconds${worker()}`]: steps(300, 2, 301) },
    quietAt: '1m',
    value: '5m 1s',
  },
  {
    alert: 'WebhooksLate',
    what: 'a delivery is due for 301 s',
    series: { [`risk_webhook_oldest_due_seconds${worker()}`]: steps(300, 2, 301) },
    quietAt: '1m',
    value: '5m 1s',
  },
  {
    alert: 'WebhooksDisabled',
    what: 'a webhook is disabled',
    series: { [`risk_webhook_endpoints_disabled${worker()}`]: steps(0, 2, 1) },
    quietAt: '1m',
    value: '1',
  },
];
