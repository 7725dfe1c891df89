/** Labels as people send them: of which payments, and when. */
import { hashText } from '../../src/kit/random.ts';
import type { Payment } from './published-days.ts';

/**
 * `late`: a day later; `alerts`: payments that were alerts of their day alone; `fifth`: a fifth of the frauds is never
 * reported; `none`: nothing is known ever.
 */
export const LABELS = ['full', 'late', 'alerts', 'fifth', 'none'] as const;
export type Labels = (typeof LABELS)[number];

/** Days from a payment to its label. */
export const delayDaysOf = (labels: Labels): number => (labels === 'late' ? 8 : 7);

/**
 * Alerts of a day are those with the greatest margins, of the rules until a table has learnt; equal margins at the bound are none.
 * @param payments of a day
 * @param margins one a payment
 * @param alertPercent of the payments of a day that people look at, at most
 * @returns the payments of which people say what they were
 */
export function labelledOf(
  labels: Labels,
  payments: readonly Payment[],
  margins: readonly number[],
  alertPercent: number,
): readonly Payment[] {
  switch (labels) {
    case 'full':
    case 'late':
      return payments;
    case 'alerts': {
      const falling = margins.toSorted((one, other) => other - one);
      const bound =
        falling[Math.floor((alertPercent / 100) * falling.length)] ?? Number.POSITIVE_INFINITY;
      return payments.filter((_, nth) => (margins[nth] ?? Number.NaN) > bound);
    }
    case 'fifth':
      return payments.filter(({ id, isFraud }) => !isFraud || hashText(id) % 5 !== 0);
    case 'none':
      return [];
  }
}
