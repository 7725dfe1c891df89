/** Why decisions take a second person, who that is, and how many wait for the person who is logged in. */
import { useQuery } from '@tanstack/react-query';
import { Link } from 'wouter';
import type { Me, ReviewCase, ReviewPolicy } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { usePolling } from '../../api/presence.ts';
import { count, money } from '../../format.ts';
import { isOfficer, nameOf, REVIEWS, unratedOf, usePolicy } from './cases.ts';

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
  const who = 'a second person with the role risk officer confirms the decision';
  if (amount === null) {
    return `No exchange rate of ${unratedOf(one)} is known, so it counts as high value: ${who}.`;
  }
  const day = rate_day === null ? '' : `, by the rate of ${rate_day}`;
  const worth = `It is worth ${money(amount, currency)}${day}`;
  if (policy === undefined) return `${worth}: ${who}.`;
  const { currency: now, four_eyes_amount: bound } = policy;
  return currency === now
    ? `${worth}, and from ${money(bound, now)} on ${who}.`
    : `${worth}, and the policy compares in ${now} now, so it counts as high value: ${who}.`;
}

/** The number of cases that take two people, among those that one person is about to decide. */
export function SecondPeople({ cases }: { readonly cases: readonly ReviewCase[] }) {
  const high = cases.filter((one) => one.needs_second_person).length;
  if (high === 0) return null;
  return (
    <p className="four-eyes">
      <strong>
        {count(high)} of them {high === 1 ? 'takes' : 'take'} two people.
      </strong>{' '}
      Another person with the role risk officer confirms {high === 1 ? 'it on its' : 'each on its'}{' '}
      own page, which the queue lists under the state “to be confirmed”.
    </p>
  );
}

/** Longer: a decision waits for its second person unseen. Shorter: every page of an officer asks more often. */
const ASK_EVERY_MS = 30_000;
/** Most decisions that are counted. */
const COUNTED_MAX = 100;

/** How many decisions of others wait for this person, as `3` or `100+`; undefined where none does. */
export function useToConfirm(me: Me): string | undefined {
  const { data } = useQuery({
    queryKey: [REVIEWS, 'to-confirm'],
    queryFn: ({ signal }) =>
      ask('GET /v1/reviews', { query: { state: 'confirming', limit: COUNTED_MAX } }, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
    enabled: isOfficer(me),
  });
  const others = data?.items.filter(({ decision }) => decision?.decided_by !== nameOf(me)) ?? [];
  if (others.length === 0) return undefined;
  return `${count(others.length)}${data?.next_cursor == null ? '' : '+'}`;
}

type ToConfirmProps = { readonly me: Me };

/** Beside the name of the page in the navigation. */
export function ToConfirmCount({ me }: ToConfirmProps) {
  const waiting = useToConfirm(me);
  if (waiting === undefined) return null;
  return (
    <span className="count" title="Decisions that wait for you as the second person">
      {waiting}
      <span className="hidden"> to confirm</span>
    </span>
  );
}

/** In the head of the queue. */
export function ToConfirmLink({ me }: ToConfirmProps) {
  const waiting = useToConfirm(me);
  if (waiting === undefined) return null;
  return (
    <Link
      className="to-confirm"
      title="Decisions that wait for you as the second person"
      href="/review?state=confirming"
    >
      {waiting} to confirm
    </Link>
  );
}
