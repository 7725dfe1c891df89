/** Says which priority a case has and until when it has to be decided, by the rules of a policy. */
import { compareDecimals } from '../../core/domain/decimal.ts';
import { later, type StoredCase } from './case.ts';
import type { CaseFacts, PriorityRule, ReviewPolicy } from './policy.ts';

const MINUTE_MS = 60_000;

/** The first rule that takes the case gives priority and deadline. */
export function prioritise(
  facts: CaseFacts,
  { priorities }: Pick<ReviewPolicy, 'priorities'>,
  openedAt: string,
): Pick<StoredCase, 'priority' | 'due_at'> {
  const rule = priorities.find((priority) => takes(priority, facts));
  if (rule === undefined) throw new Error('the last priority of a policy takes every case');
  const { priority, deadline_minutes: minutes } = rule;
  return { priority, due_at: later(openedAt, minutes * MINUTE_MS) };
}

function takes(
  { sources, amount_above: above, score_from: from, reasons: wanted }: PriorityRule,
  { source, market_amount: amount, score, reasons }: CaseFacts,
): boolean {
  if (sources !== undefined && !sources.includes(source)) return false;
  if (above !== undefined && !isAbove(amount, above)) return false;
  if (from !== undefined && (score === null || score < from)) return false;
  return wanted === undefined || wanted.some((code) => reasons.includes(code));
}

/** An unknown amount may be any amount, so it counts as high: a wrong guess costs an officer's time, not money. */
const isAbove = (amount: string | null, bound: string) =>
  amount === null || compareDecimals(amount, bound) > 0;
