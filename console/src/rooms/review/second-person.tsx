/** Why a decision takes a second person. */
import type { ReviewCase, ReviewPolicy } from '../../../../src/kit/client/api-types.ts';
import { money } from '../../format.ts';
import { unratedOf, usePolicy } from './cases.ts';

export function SecondPerson({ one }: { readonly one: ReviewCase }) {
  const policy = usePolicy().data?.policy;
  if (!one.needs_second_person) return null;
  return (
    <p className="four-eyes">
      <strong>Takes two people.</strong> {whyOf(one, policy)}
    </p>
  );
}

function whyOf(one: ReviewCase, policy: ReviewPolicy | undefined): string {
  const { market_amount: amount, market_currency: currency, rate_day } = one;
  if (amount === null) {
    return `No exchange rate of ${unratedOf(one)} is known, so it counts as high value.`;
  }
  const day = rate_day === null ? '' : `, by the rate of ${rate_day}`;
  const worth = `It is worth ${money(amount, currency)}${day}`;
  if (policy === undefined) return `${worth}.`;
  const { currency: now, four_eyes_amount: bound } = policy;
  return currency === now
    ? `${worth}, and from ${money(bound, now)} on a second person confirms.`
    : `${worth}, and the policy compares in ${now} now, so it counts as high value.`;
}
