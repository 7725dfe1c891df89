/** Examples of figures and rules of the review. */
import { TRANSACTION_ID } from '../../../core/accept/examples.ts';
import type { ReviewPolicy } from '../policy.ts';
import type { CapacityJson } from '../queries/capacity.ts';
import type { ShiftJson } from '../queries/shift.ts';
import type { ReviewStatusJson } from '../queries/status.ts';

export const reviewPolicy: ReviewPolicy = {
  priorities: [
    { priority: 0, name: 'dispute', deadline_minutes: 120, sources: ['dispute'] },
    { priority: 5, name: 'spot check', deadline_minutes: 2880, sources: ['spot_check'] },
    { priority: 1, name: 'high value', deadline_minutes: 240, amount_above: '1000' },
    { priority: 2, name: 'high risk', deadline_minutes: 240, score_from: 700 },
    { priority: 3, name: 'trust verification', deadline_minutes: 480, reasons: ['NEW_DEVICE'] },
    { priority: 4, name: 'standard', deadline_minutes: 1440 },
  ],
  overflow: [
    { priority: 4, older_than_minutes: 480, actions: ['propose_tighter_auto_clear', 'alert'] },
    { priority: 2, older_than_minutes: 240, actions: ['call_all_hands', 'propose_throttle'] },
    { priority: 0, older_than_minutes: 120, actions: ['escalate'] },
  ],
  currency: 'USD',
  four_eyes_amount: '5000',
  lock_seconds: 900,
  undo_seconds: 10,
  spot_check_ratio: 0.001,
  dispute_sources: ['chargeback', 'bank'],
  capacity: {
    ...{ reviews_per_hour: 20, hours_per_day: 8, utilisation_max: 0.85, utilisation_hired: 0.8 },
  },
};

export const reviewStatus: ReviewStatusJson = {
  at: '2026-11-20T12:00:00.000Z',
  waiting: [
    {
      ...{ priority: 'P2', corridor: 'US-EG', waiting: 12, claimed: 3, missed: 1, near: 2 },
      ...{ age_seconds: 2400, oldest_seconds: 15_000 },
    },
  ],
  due_next: [
    {
      ...{ transaction_id: TRANSACTION_ID, priority: 'P2', corridor: 'US-EG' },
      ...{ opened_at: '2026-11-20T08:10:00.000Z', due_at: '2026-11-20T12:10:00.000Z' },
      locked_by: null,
    },
  ],
  ...{ officers_at_work: 1, utilisation: 0.7 },
  officers: [{ officer: 'Ann', claimed: 3, decided: 14, utilisation: 0.7 }],
  forecast: [{ priority: 'P2', waiting: 12, missed: 1, will_miss: 0, empty_seconds: 720 }],
  overflow: [
    {
      ...{ priority: 'P2', older_than_minutes: 240, cases: 1 },
      actions: ['call_all_hands', 'propose_throttle'],
    },
  ],
  measured: { days: 7, decided: 812, in_time: 790, handling_seconds: 171.5 },
};

export const reviewShift: ShiftJson = {
  ...{ reviewer: 'Ann', since: '2026-11-20T08:00:00.000Z', decided: 41 },
  ...{ fraud: 9, legitimate: 30, unsure: 2, in_time: 40, handling_seconds: 164.5, undone: 1 },
};

/** 1,500 reviews a day take 10 officers. */
export const reviewCapacity: CapacityJson = {
  ...{ transactions_per_day: 5000, auto_clear_ratio: 0.7, officers: 10, reviews_per_hour: 20 },
  ...{
    officer_reviews_per_day: 160,
    reviews_per_day: 1500,
    officers_min: 10,
    officers_to_hire: 12,
  },
  ...{ utilisation: 0.9375, utilisation_max: 0.85, utilisation_hired: 0.8, hire: 2 },
  projection: [
    {
      ...{ month: 0, transactions_per_day: 5000, reviews_per_day: 1500 },
      ...{ officers_min: 10, officers_to_hire: 12 },
    },
  ],
};
