/** Why a decision takes a second person. */
import type { ReviewCase } from '../../../../src/client/api-types.ts';
import { money } from '../../format.ts';
import { usePolicy } from './cases.ts';

export function SecondPerson({ one }: { readonly one: ReviewCase }) {
  const bound = usePolicy().data?.policy.four_eyes_amount_usd;
  if (!one.needs_second_person) return null;
  const { amount_usd, rate_day, currency } = one;
  const from =
    bound === undefined ? '' : `, and from ${money(bound)} USD on a second person confirms`;
  return (
    <p className="four-eyes">
      <strong>Takes two people.</strong>{' '}
      {amount_usd === null
        ? `No exchange rate of ${currency} is known, so it counts as high value.`
        : `It is worth ${money(amount_usd)} USD${rate_day === null ? '' : `, by the rate of ${rate_day}`}${from}.`}
    </p>
  );
}
