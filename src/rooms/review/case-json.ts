/** A stored case in the form of the API. */
import { type CaseJson, holderOf, type StoredCase } from './case.ts';
import { needsSecondPerson } from './case-steps.ts';
import { priorityName, type ReviewPolicy } from './policy.ts';

/** @param policy the one in force, which says whose decision has to be confirmed */
export function toCaseJson(stored: StoredCase, policy: ReviewPolicy): CaseJson {
  const {
    disposition,
    decision_reason: reason,
    decided_by,
    decided_at,
    confirmed_by,
    final_at,
    now,
    // Nobody is shown the rest.
    decided_by_key,
    confirmed_by_key,
    four_eyes_amount,
    ...shown
  } = stored;
  const holder = stored.state === 'open' ? holderOf(stored) : null;
  const isDecided = disposition !== null && reason !== null && decided_by !== null;
  return {
    ...shown,
    state: holder === null ? stored.state : 'claimed',
    priority: priorityName(stored.priority),
    needs_second_person: needsSecondPerson(stored, policy),
    locked_by: holder,
    locked_until: holder === null ? null : stored.locked_until,
    decision: isDecided
      ? { disposition, reason, decided_by, decided_at: decided_at ?? now, confirmed_by, final_at }
      : null,
  };
}
