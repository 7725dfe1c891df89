/** Rings: open cases of one device, account or merchant that a person may decide at once. */
import { useQuery } from '@tanstack/react-query';
import type { Me, ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { serverMs } from '../../api/clock.ts';
import { count } from '../../format.ts';
import { nameOf, REVIEWS, standingOf } from './cases.ts';
import { CASES_MAX } from './many-dialog.tsx';

/** The filter of the queue that finds the cases of each. */
export const PARTY_FILTERS = {
  device: 'device_id',
  account: 'account_id',
  merchant: 'merchant_id',
} as const;
type Party = keyof typeof PARTY_FILTERS;

export type RingOf = {
  readonly party: Party;
  readonly id: string;
  /** Cases that this person may decide now. More than CASES_MAX of them mean that further cases exist. */
  readonly cases: readonly ReviewCase[];
  /** Other cases, whose decisions wait for a second person. */
  readonly confirming: readonly ReviewCase[];
};

export const countOf = (cases: readonly ReviewCase[]) =>
  cases.length > CASES_MAX ? `more than ${CASES_MAX}` : count(cases.length);

/** Undefined while its cases are counted. */
export function useRing(party: Party, one: ReviewCase, me: Me): RingOf | undefined {
  const name = PARTY_FILTERS[party];
  const id = one[name];
  const { data } = useQuery({
    queryKey: [REVIEWS, 'ring', name, id],
    queryFn: async ({ signal }) => {
      const of = { [name]: id, limit: CASES_MAX + 1 };
      const mine = { ...of, state: 'claimed', locked_by: nameOf(me) } as const;
      const [confirming, ...pages] = await Promise.all([
        ask('GET /v1/reviews', { query: { ...of, state: 'confirming' } }, signal),
        ask('GET /v1/reviews', { query: { ...of, state: 'open' } }, signal),
        ask('GET /v1/reviews', { query: mine }, signal),
      ]);
      const all = pages.flatMap(({ items }) => items);
      const cases = all.filter((each) => standingOf(each, me, serverMs()).kind !== 'others');
      return { cases, confirming: confirming.items };
    },
    enabled: id !== null,
  });
  if (id === null || data === undefined) return undefined;
  const isOther = (each: ReviewCase) => each.transaction_id !== one.transaction_id;
  return { party, id, cases: data.cases, confirming: data.confirming.filter(isOther) };
}
