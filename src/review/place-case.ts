/** Says which priority a case has and until when it has to be decided, by the rules of a policy. */
import { compareDecimals } from '../domain/decimal.ts';
import type { StoredCase } from '../domain/review-case.ts';
import type { CaseFacts, PriorityRule, ReviewPolicy } from '../domain/review-policy.ts';

const MINUTE_MS = 60_000;

export type Placed = { readonly priority: number; readonly dueAtMs: number };

/** The first rule that takes the case places it. */
export function placeCase(
  facts: CaseFacts,
  { priorities }: Pick<ReviewPolicy, 'priorities'>,
  openedAtMs: number,
): Placed {
  const rule = priorities.find((one) => takes(one, facts));
  if (rule === undefined) throw new Error('the last priority of a policy takes every case');
  return { priority: rule.priority, dueAtMs: openedAtMs + rule.deadline_minutes * MINUTE_MS };
}

function takes(rule: PriorityRule, { source, amountUsd, score, reasons }: CaseFacts): boolean {
  const { sources, amount_usd_above: above, score_from: from, reasons: wanted } = rule;
  if (sources !== undefined && !sources.includes(source)) return false;
  if (above !== undefined && !isAbove(amountUsd, above)) return false;
  if (from !== undefined && (score === null || score < from)) return false;
  return wanted === undefined || wanted.some((code) => reasons.includes(code));
}

/** An unknown amount may be any amount, so it counts as high: a wrong guess costs an officer's time, not money. */
const isAbove = (amountUsd: string | null, bound: string) =>
  amountUsd === null || compareDecimals(amountUsd, bound) > 0;

/**
 * Whether a second person has to confirm a decision: by the policy that placed the case, or by the newest one. So nobody raises
 * the bound above a case that waits, decides it alone, and lowers the bound again.
 */
export function needsSecondPerson(
  { amountUsd, fourEyesUsd }: Pick<StoredCase, 'amountUsd' | 'fourEyesUsd'>,
  { four_eyes_amount_usd: boundNow }: Pick<ReviewPolicy, 'four_eyes_amount_usd'>,
): boolean {
  if (amountUsd === null) return true;
  return [fourEyesUsd, boundNow].some((bound) => compareDecimals(amountUsd, bound) >= 0);
}
