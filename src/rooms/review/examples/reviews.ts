/** Examples of review cases. */
import { TRANSACTION_ID } from '../../../core/accept/examples.ts';
import type { CaseJson } from '../case.ts';
import type { CaseDetailJson, FinalDecisionJson } from '../queries/cases.ts';

export const reviewCase: CaseJson = {
  transaction_id: TRANSACTION_ID,
  state: 'claimed',
  priority: 'P2',
  source: 'verdict',
  due_at: '2026-11-20T13:30:00.000Z',
  opened_at: '2026-11-20T09:30:00.000Z',
  opened_by: 'engine',
  corridor: 'US-EG',
  account_id: 'acc_17',
  merchant_id: 'm_9',
  device_id: 'device-4f2a',
  created_at: '2026-11-20T09:30:00.000Z',
  amount: '125.50',
  currency: 'USD',
  market_amount: '125.50',
  market_currency: 'USD',
  rate_day: null,
  score: 730,
  verdict: 'review',
  reasons: ['VELOCITY_COUNT_1H'],
  policy: 1,
  needs_second_person: false,
  assignee: null,
  locked_by: 'Ann',
  locked_until: '2026-11-20T09:55:00.000Z',
  claimed_at: '2026-11-20T09:40:00.000Z',
  escalated_by: null,
  escalated_at: null,
  decision: null,
  closed_at: null,
};

export const openCase: CaseJson = {
  ...reviewCase,
  ...{ state: 'open', locked_by: null, locked_until: null, claimed_at: null },
};

export const decidedCase: CaseJson = {
  ...openCase,
  state: 'decided',
  decision: {
    ...{ disposition: 'fraud', reason: 'The cardholder did not make it', decided_by: 'Ann' },
    ...{ decided_at: '2026-11-20T09:42:00.000Z', confirmed_by: null },
    final_at: '2026-11-20T09:42:10.000Z',
  },
};

export const finalDecision: FinalDecisionJson = {
  decision_id: '17',
  transaction_id: TRANSACTION_ID,
  ...{ created_at: '2026-11-20T09:30:00.000Z', account_id: 'acc_17', merchant_id: 'm_9' },
  ...{ corridor: 'US-EG', score: 730, verdict: 'review', source: 'verdict', priority: 'P2' },
  ...{ disposition: 'fraud', reason: 'The cardholder did not make it', decided_by: 'Ann' },
  ...{ decided_at: '2026-11-20T09:42:00.000Z', confirmed_by: null, label: 'posted' },
  final_at: '2026-11-20T09:42:10.500Z',
};

export const caseDetail: CaseDetailJson = {
  ...reviewCase,
  notes: [
    {
      ...{ note_id: '3', written_at: '2026-11-20T09:41:00.000Z', written_by: 'Ann' },
      ...{ note: 'Called the cardholder', file_name: null, file_type: null, file_bytes: null },
    },
  ],
  history: [
    {
      ...{ changed_at: '2026-11-20T09:40:00.000Z', who: 'Ann', action: 'case.claim' },
      after: { locked_by: 'Ann', locked_until: '2026-11-20T09:55:00.000Z' },
    },
  ],
  final_decisions: [],
};
