/** A stored case in the form of the API. */

import type { CaseJson, StoredCase } from './case.ts';
import { holderOf } from './case-steps.ts';
import { needsSecondPerson } from './place-case.ts';
import { priorityNames, type ReviewPolicy } from './policy.ts';

const iso = (ms: number) => new Date(ms).toISOString();
const isoOrNull = (ms: number | null) => (ms === null ? null : iso(ms));

/** @param policy the one in force, which says whose decision has to be confirmed */
export function toCaseJson(one: StoredCase, policy: ReviewPolicy): CaseJson {
  const holder = one.state === 'open' ? holderOf(one) : null;
  return {
    transaction_id: one.transactionId,
    state: holder === null ? one.state : 'claimed',
    priority: priorityNames[one.priority] ?? 'P5',
    source: one.source,
    due_at: iso(one.dueAtMs),
    opened_at: iso(one.openedAtMs),
    opened_by: one.openedBy,
    corridor: one.corridor,
    account_id: one.accountId,
    merchant_id: one.merchantId,
    device_id: one.deviceId,
    created_at: iso(one.createdAtMs),
    amount: one.amount,
    currency: one.currency,
    market_amount: one.marketAmount,
    market_currency: one.marketCurrency,
    rate_day: one.rateDay,
    score: one.score,
    verdict: one.verdict,
    reasons: [...one.reasons],
    policy: one.policy,
    needs_second_person: needsSecondPerson(one, policy),
    assignee: one.assignee,
    locked_by: holder,
    locked_until: holder === null ? null : isoOrNull(one.lockedUntilMs),
    claimed_at: isoOrNull(one.claimedAtMs),
    escalated_by: one.escalatedBy,
    escalated_at: isoOrNull(one.escalatedAtMs),
    decision: toDecision(one),
    closed_at: isoOrNull(one.closedAtMs),
  };
}

function toDecision(one: StoredCase): CaseJson['decision'] {
  const { disposition, decisionReason, decidedBy, decidedAtMs } = one;
  if (disposition === null || decisionReason === null || decidedBy === null) return null;
  return {
    ...{ disposition, reason: decisionReason, decided_by: decidedBy },
    decided_at: iso(decidedAtMs ?? one.nowMs),
    confirmed_by: one.confirmedBy,
    final_at: isoOrNull(one.finalAtMs),
  };
}
