/**
 * What people may do with a case, as functions from its state to the next. Each refuses what may not be done now by throwing
 * a Failure `conflict`; nothing here reads a clock or a table.
 *
 *   open ── claim ─▶ open, locked ── decide ─▶ decided ── final_at ─▶ closed
 *    ▲                                 │          ▲
 *    └── undo, return ─────────────────┴─▶ confirming ── confirm by another person
 */
import type { Disposition } from '../../../core/domain/disposition.ts';
import { Failure } from '../../../kit/words/failure.ts';
import { ENGINE } from '../../../kit/words/principal.ts';
import type { CaseProgress, StoredCase } from '../review-case.ts';
import type { ReviewPolicy } from '../review-policy.ts';
import { needsSecondPerson } from './place-case.ts';

/** Who acts. */
export type Reviewer = {
  readonly name: string;
  readonly keyId: string;
  /** Holds the role risk_officer. */
  readonly isOfficer: boolean;
};

const SECOND_MS = 1000;
const UNLOCKED = { lockedBy: null, lockedUntilMs: null } as const;
const UNDECIDED = {
  ...{ disposition: null, decisionReason: null, decidedBy: null, decidedByKey: null },
  ...{ decidedAtMs: null, confirmedBy: null, confirmedByKey: null, finalAtMs: null },
} as const;

/** Changed fields; the others stay as they are. */
export type CaseStep = Partial<CaseProgress>;

/** Who has a lock on the case that has not expired. */
export function holderOf({ lockedBy, lockedUntilMs, nowMs }: StoredCase): string | null {
  return lockedUntilMs !== null && lockedUntilMs > nowMs ? lockedBy : null;
}

/** Also extends the lock of the one who has it. */
export function claim(one: StoredCase, by: Reviewer, policy: ReviewPolicy): CaseStep {
  refuseUnlessOpen(one);
  const holder = holderOf(one);
  if (holder !== null && holder !== by.name) refuse('CASE_LOCKED', `${holder} has claimed it`);
  if (one.assignee !== null && one.assignee !== by.name) {
    refuse('CASE_ASSIGNED', `it is assigned to ${one.assignee}`);
  }
  const { escalatedBy } = one;
  const isLeft = escalatedBy !== null && escalatedBy !== ENGINE;
  // A risk officer has assigned it since: whom they name may claim it.
  if (isLeft && !by.isOfficer && one.assignee !== by.name) {
    refuse('CASE_ESCALATED', `${escalatedBy} left it to a risk officer`);
  }
  return {
    lockedBy: by.name,
    lockedUntilMs: one.nowMs + policy.lock_seconds * SECOND_MS,
    claimedAtMs: one.claimedAtMs ?? one.nowMs,
  };
}

/** Extends a lock before it expires. */
export function keepLock(one: StoredCase, by: Reviewer, policy: ReviewPolicy): CaseStep {
  refuseUnlessHeld(one, by);
  return { lockedUntilMs: one.nowMs + policy.lock_seconds * SECOND_MS };
}

/** A risk officer may release another's case. */
export function release(one: StoredCase, by: Reviewer): CaseStep {
  refuseUnlessTheirs(one, by);
  return UNLOCKED;
}

/** Takes the case from anybody else who has claimed it. */
export function assign(one: StoredCase, assignee: string | null): CaseStep {
  refuseUnlessOpen(one);
  return { assignee, ...(holderOf(one) === assignee ? {} : UNLOCKED) };
}

/** Leaves the case to a risk officer. */
export function escalate(one: StoredCase, by: Reviewer): CaseStep {
  refuseUnlessTheirs(one, by);
  return { ...UNLOCKED, assignee: null, escalatedBy: by.name, escalatedAtMs: one.nowMs };
}

type Verdict = { readonly disposition: Disposition; readonly reason: string };

/** A second person has to confirm what is worth much. */
export function decide(
  one: StoredCase,
  by: Reviewer,
  { disposition, reason }: Verdict,
  policy: ReviewPolicy,
): CaseStep {
  refuseUnlessHeld(one, by);
  const isHigh = needsSecondPerson(one, policy);
  return {
    ...{ ...UNLOCKED, disposition, decisionReason: reason, decidedBy: by.name },
    ...{ decidedByKey: by.keyId, decidedAtMs: one.nowMs },
    ...(isHigh ? { state: 'confirming' } : { state: 'decided', finalAtMs: finalAt(one, policy) }),
  };
}

/** Whether two keys belong to two people is checked where they are stored. */
export function confirm(one: StoredCase, by: Reviewer, policy: ReviewPolicy): CaseStep {
  refuseUnlessConfirming(one);
  if (one.decidedBy === by.name) refuse('ONE_PERSON', 'another person than the first must confirm');
  return {
    ...{ state: 'decided', confirmedBy: by.name, confirmedByKey: by.keyId },
    finalAtMs: finalAt(one, policy),
  };
}

/** A second person who does not agree puts the case back. */
export function giveBack(one: StoredCase): CaseStep {
  refuseUnlessConfirming(one);
  return { ...UNDECIDED, state: 'open' };
}

/** Until a decision is final, those who made it may take it back; the first of them has the case again. */
export function undo(one: StoredCase, by: Reviewer, policy: ReviewPolicy): CaseStep {
  if (one.state === 'open') refuse('NOT_DECIDED', 'nothing is decided');
  const isOver = one.finalAtMs !== null && one.finalAtMs <= one.nowMs;
  if (one.state === 'closed' || isOver) refuse('DECISION_FINAL', 'the decision is final');
  if (one.decidedBy !== by.name && one.confirmedBy !== by.name) {
    refuse('NOT_YOURS', `${one.decidedBy} has decided it, and nobody else may undo that`);
  }
  const isFirst = one.decidedBy === by.name;
  const lock = { lockedBy: by.name, lockedUntilMs: one.nowMs + policy.lock_seconds * SECOND_MS };
  return { ...UNDECIDED, state: 'open', ...(isFirst ? lock : UNLOCKED) };
}

/** A transaction may lie in the future, and no label may be older than its transaction. */
function finalAt({ nowMs, createdAtMs }: StoredCase, { undo_seconds: undoSeconds }: ReviewPolicy) {
  return Math.max(nowMs + undoSeconds * SECOND_MS, createdAtMs);
}

function refuseUnlessOpen({ state }: StoredCase): void {
  if (state !== 'open') refuse('CASE_NOT_OPEN', `it is ${state}`);
}

function refuseUnlessHeld(one: StoredCase, by: Reviewer): void {
  refuseUnlessOpen(one);
  const holder = holderOf(one);
  if (holder === by.name) return;
  const why = holder === null ? 'claim it first' : `${holder} has claimed it`;
  refuse('CASE_NOT_YOURS', why);
}

/** A risk officer may act on another's case. */
function refuseUnlessTheirs(one: StoredCase, by: Reviewer): void {
  if (by.isOfficer) refuseUnlessOpen(one);
  else refuseUnlessHeld(one, by);
}

function refuseUnlessConfirming({ state }: StoredCase): void {
  if (state !== 'confirming') refuse('NOT_CONFIRMING', 'no decision waits for a second person');
}

function refuse(code: string, why: string): never {
  throw new Failure('conflict', code, `the case stays as it is: ${why}`);
}
