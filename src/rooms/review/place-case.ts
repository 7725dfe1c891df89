/** Says which priority a case has and until when it has to be decided, by the rules of a policy. */
import { compareDecimals } from '../../core/domain/decimal.ts';
import type { StoredCase } from './case.ts';
import type { CaseFacts, PriorityRule, ReviewPolicy } from './policy.ts';

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

function takes(rule: PriorityRule, { source, marketAmount, score, reasons }: CaseFacts): boolean {
  const { sources, amount_above: above, score_from: from, reasons: wanted } = rule;
  if (sources !== undefined && !sources.includes(source)) return false;
  if (above !== undefined && !isAbove(marketAmount, above)) return false;
  if (from !== undefined && (score === null || score < from)) return false;
  return wanted === undefined || wanted.some((code) => reasons.includes(code));
}

/** An unknown amount may be any amount, so it counts as high: a wrong guess costs an officer's time, not money. */
const isAbove = (amount: string | null, bound: string) =>
  amount === null || compareDecimals(amount, bound) > 0;

type RatedCase = Pick<StoredCase, 'marketAmount' | 'marketCurrency' | 'fourEyesAmount'>;

/**
 * Whether a second person has to confirm a decision: by the policy that placed the case, or by the newest one. So nobody raises
 * the bound above a case that waits, decides it alone, and lowers the bound again. A bound in another currency than the case's
 * cannot be compared with it, so it asks for a second person.
 */
export function needsSecondPerson(
  { marketAmount, marketCurrency, fourEyesAmount }: RatedCase,
  { currency, four_eyes_amount: boundNow }: Pick<ReviewPolicy, 'currency' | 'four_eyes_amount'>,
): boolean {
  if (marketAmount === null || marketCurrency !== currency) return true;
  return [fourEyesAmount, boundNow].some((bound) => compareDecimals(marketAmount, bound) >= 0);
}
