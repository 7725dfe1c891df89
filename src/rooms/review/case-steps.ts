/**
 * Steps that people may take with a case, as functions from its state to the next. A function refuses a step that may not be
 * taken now by throwing a Failure `conflict`.
 *
 *   open ── claim ─▶ open, locked ── decide ─▶ decided ── final_at ─▶ closed
 *    ▲                                 │          ▲
 *    └── undo, return ─────────────────┴─▶ confirming ── confirm by another person
 */
import { z } from 'zod';
import { compareDecimals } from '../../core/domain/currency.ts';
import { DISPOSITIONS } from '../../core/domain/disposition.ts';
import { Failure } from '../../kit/words/failure.ts';
import { plainText } from '../../kit/words/plain-text.ts';
import { ENGINE } from '../../kit/words/principal.ts';
import { CASE_LIMITS, type CaseProgress, holderOf, later, type StoredCase } from './case.ts';
import type { ReviewPolicy } from './policy.ts';

/** The person who takes a step. */
export type Reviewer = {
  readonly name: string;
  readonly keyId: string;
  /** Holds the role risk_officer. */
  readonly isOfficer: boolean;
};

const SECOND_MS = 1000;
const UNLOCKED = { locked_by: null, locked_until: null } as const;
/** A case without a decision. */
export const UNDECIDED = {
  disposition: null,
  decision_reason: null,
  decided_by: null,
  decided_by_key: null,
  decided_at: null,
  confirmed_by: null,
  confirmed_by_key: null,
  final_at: null,
} as const;

/** Changed fields; the others stay as they are. */
export type CaseStep = Partial<CaseProgress>;

/** Locks the case; the reviewer who has the lock extends it. */
export function claim(storedCase: StoredCase, by: Reviewer, policy: ReviewPolicy): CaseStep {
  refuseUnlessOpen(storedCase);
  const holder = holderOf(storedCase);
  if (holder !== null && holder !== by.name) refuse('CASE_LOCKED', `${holder} has claimed it`);
  if (storedCase.assignee !== null && storedCase.assignee !== by.name) {
    refuse('CASE_ASSIGNED', `it is assigned to ${storedCase.assignee}`);
  }
  const { escalated_by: leaver } = storedCase;
  const isLeft = leaver !== null && leaver !== ENGINE;
  // A risk officer has assigned the case since: the assignee may claim it.
  if (isLeft && !by.isOfficer && storedCase.assignee !== by.name) {
    refuse('CASE_ESCALATED', `${leaver} left it to a risk officer`);
  }
  return { ...lock(storedCase, by, policy), claimed_at: storedCase.claimed_at ?? storedCase.now };
}

/** Extends a lock before it expires. */
export function extendLock(storedCase: StoredCase, by: Reviewer, policy: ReviewPolicy): CaseStep {
  refuseUnlessClaimed(storedCase, by);
  return lock(storedCase, by, policy);
}

const lock = ({ now }: StoredCase, by: Reviewer, { lock_seconds: seconds }: ReviewPolicy) => ({
  locked_by: by.name,
  locked_until: later(now, seconds * SECOND_MS),
});

/** A risk officer may release another's case. */
export function release(storedCase: StoredCase, by: Reviewer): CaseStep {
  refuseUnlessTheirs(storedCase, by);
  return UNLOCKED;
}

/** Takes the case from a reviewer who has claimed it, unless that is the assignee. */
export function assign(
  storedCase: StoredCase,
  _by: Reviewer,
  _policy: ReviewPolicy,
  { assignee }: Pick<CaseProgress, 'assignee'>,
): CaseStep {
  refuseUnlessOpen(storedCase);
  return { assignee, ...(holderOf(storedCase) === assignee ? {} : UNLOCKED) };
}

/** Leaves the case to a risk officer. */
export function escalate(storedCase: StoredCase, by: Reviewer): CaseStep {
  refuseUnlessTheirs(storedCase, by);
  // A repetition, whose first answer may have been lost, must not write a second note.
  if (storedCase.escalated_by === by.name && holderOf(storedCase) !== by.name) {
    refuse('CASE_ESCALATED', 'you have left it to a risk officer');
  }
  return { ...UNLOCKED, assignee: null, escalated_by: by.name, escalated_at: storedCase.now };
}

const disposition = z.enum(DISPOSITIONS);
export const reason = plainText(CASE_LIMITS.reasonChars);

/** `POST /v1/reviews/{id}/decide` */
export const decideSchema = z.strictObject({ disposition, reason }).meta({ id: 'CaseDisposition' });
export type Decision = z.infer<typeof decideSchema>;

/** A decision about a high amount waits for a second person. */
export function decide(
  storedCase: StoredCase,
  by: Reviewer,
  policy: ReviewPolicy,
  { disposition, reason }: Decision,
): CaseStep {
  refuseUnlessClaimed(storedCase, by);
  const isHigh = needsSecondPerson(storedCase, policy);
  return {
    ...UNLOCKED,
    disposition,
    decision_reason: reason,
    decided_by: by.name,
    decided_by_key: by.keyId,
    decided_at: storedCase.now,
    ...(isHigh
      ? { state: 'confirming' }
      : { state: 'decided', final_at: finalAt(storedCase, policy) }),
  };
}

/** The store checks that the keys of the two decisions belong to two people. */
export function confirm(storedCase: StoredCase, by: Reviewer, policy: ReviewPolicy): CaseStep {
  refuseUnlessConfirming(storedCase);
  if (storedCase.decided_by === by.name)
    refuse('ONE_PERSON', 'another person than the first must confirm');
  return {
    state: 'decided',
    confirmed_by: by.name,
    confirmed_by_key: by.keyId,
    final_at: finalAt(storedCase, policy),
  };
}

/** A second person who does not agree puts the case back. */
export function giveBack(storedCase: StoredCase): CaseStep {
  refuseUnlessConfirming(storedCase);
  return { ...UNDECIDED, state: 'open' };
}

/**
 * The person who decided or confirmed may take a decision back until it is final. Who decided has the case again, unless the
 * decision itself claimed the case, as a decision about several does: then nobody has it.
 */
export function undo(storedCase: StoredCase, by: Reviewer, policy: ReviewPolicy): CaseStep {
  if (storedCase.state === 'open') refuse('NOT_DECIDED', 'nothing is decided');
  const isOver = storedCase.final_at !== null && storedCase.final_at <= storedCase.now;
  if (storedCase.state === 'closed' || isOver) refuse('DECISION_FINAL', 'the decision is final');
  const isFirst = storedCase.decided_by === by.name;
  if (!isFirst && storedCase.confirmed_by !== by.name) {
    refuse('NOT_YOURS', `${storedCase.decided_by} has decided it, and nobody else may undo that`);
  }
  if (storedCase.claimed_at === storedCase.decided_at) {
    return { ...UNDECIDED, state: 'open', ...UNLOCKED, claimed_at: null };
  }
  return { ...UNDECIDED, state: 'open', ...(isFirst ? lock(storedCase, by, policy) : UNLOCKED) };
}

/** A transaction may lie in the future, and no label may be older than its transaction. */
function finalAt({ now, created_at }: StoredCase, { undo_seconds: seconds }: ReviewPolicy) {
  const end = later(now, seconds * SECOND_MS);
  return end > created_at ? end : created_at;
}

type RatedCase = Pick<StoredCase, 'market_amount' | 'market_currency' | 'four_eyes_amount'>;

/**
 * Whether a second person has to confirm a decision, by the policy that placed the case or by the newest policy: nobody may
 * raise the bound above a waiting case, decide the case alone, and lower the bound again. An amount in another currency than
 * the bound cannot be compared, so a second person confirms.
 */
export function needsSecondPerson(
  { market_amount: amount, market_currency, four_eyes_amount: boundThen }: RatedCase,
  { currency, four_eyes_amount: boundNow }: Pick<ReviewPolicy, 'currency' | 'four_eyes_amount'>,
): boolean {
  if (amount === null || market_currency !== currency) return true;
  return [boundThen, boundNow].some((bound) => compareDecimals(amount, bound) >= 0);
}

function refuseUnlessOpen({ state }: StoredCase): void {
  if (state !== 'open') refuse('CASE_NOT_OPEN', `it is ${state}`);
}

function refuseUnlessClaimed(storedCase: StoredCase, by: Reviewer): void {
  refuseUnlessOpen(storedCase);
  const holder = holderOf(storedCase);
  if (holder === by.name) return;
  const why = holder === null ? 'claim it first' : `${holder} has claimed it`;
  refuse('CASE_NOT_YOURS', why);
}

/** A risk officer may act on another's case. */
function refuseUnlessTheirs(storedCase: StoredCase, by: Reviewer): void {
  if (by.isOfficer) refuseUnlessOpen(storedCase);
  else refuseUnlessClaimed(storedCase, by);
}

function refuseUnlessConfirming({ state }: StoredCase): void {
  if (state !== 'confirming') refuse('NOT_CONFIRMING', 'no decision waits for a second person');
}

function refuse(code: string, why: string): never {
  throw new Failure('conflict', code, `the case stays as it is: ${why}`);
}
