/** Scopes, kinds and values of controls in words. */
import type { ControlValue } from '../../../../src/kit/client/api-types.ts';
import { count, number } from '../../format.ts';

const WORDS: Readonly<Record<string, string>> = {
  ...{ corridor: 'The corridor', client: 'The client', key: 'The key', flag: 'The flag' },
  ...{ rule: 'The rule', model: 'The model', each: 'Each' },
};

/** `corridor:US-EG` is the corridor US-EG. */
export function nameOf(scope: string): string {
  if (scope === 'all') return 'Every market';
  if (scope === 'market') return 'The market';
  const [form = '', name = ''] = scope.split(/:(.*)/s);
  return `${WORDS[form] ?? form} ${name}`.trim();
}

/** `limit-requests` as people read it. */
export const kindName = (kind: string) => kind.replaceAll('-', ' ');

/** Empty for a control without a value. */
export function sayValue(value: ControlValue | null): string {
  if (value === null) return '';
  const { points, from_amount: amount, currency, rate_per_second: rate, burst } = value;
  const { policy, received_days: days, disputes, sources = [] } = value;
  if (policy !== undefined) return `reviews or declines ${100 * policy.review_share} % at most`;
  if (days !== undefined) return `labels received in ${count(days)} days before`;
  if (disputes !== undefined)
    return `freezes by more than ${disputes} disputes within 5 minutes, of ${sources.join(', ')}`;
  if (points !== undefined) return `thresholds lower by ${points} points`;
  if (amount !== undefined) return `reviewed by hand from ${amount} ${currency} on`;
  return `${number(rate ?? 0)} a second, burst ${count(burst ?? 0)}`;
}
