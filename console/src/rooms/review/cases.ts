/** The requests of the review's pages, and who may do what with a case; the API decides what is allowed. */
import { useQuery } from '@tanstack/react-query';
import type { Me, ReviewCase, ReviewCaseDetail } from '../../../../src/kit/client/api-types.ts';
import { ask, Refusal } from '../../api/ask.ts';
import { has } from '../../api/me.ts';
import { usePolling } from '../../api/presence.ts';
import { person } from '../../format.ts';

/** Everything of the review is asked again after each step. */
export const REVIEWS = 'reviews';
export const caseKey = (id: string) => [REVIEWS, 'case', id] as const;

/** The queue is asked again so often, as other analysts work on it. */
export const QUEUE_EVERY_MS = 10_000;
const CASE_EVERY_MS = 15_000;

/** Null where the transaction has no case. */
export function useCase(id: string) {
  const every = usePolling(CASE_EVERY_MS);
  return useQuery({
    queryKey: caseKey(id),
    queryFn: async ({ signal }): Promise<ReviewCaseDetail | null> => {
      try {
        return await ask('GET /v1/reviews/{id}', { path: { id } }, signal);
      } catch (error) {
        if (error instanceof Refusal && error.status === 404) return null;
        throw error;
      }
    },
    refetchInterval: ({ state: { data } }) => (data === null ? false : every),
  });
}

export function usePolicy() {
  return useQuery({
    queryKey: ['review-policy'],
    queryFn: ({ signal }) => ask('GET /v1/reviews/policy', {}, signal),
    staleTime: 60_000,
  });
}

/** Currencies whose rates a case without any lacks; rates are in dollars. */
export const unratedOf = ({ currency, market_currency: market }: ReviewCase) =>
  [currency, market].filter((code) => code !== 'USD').join(' and ');

/** The name under which the API records what somebody does. */
export const nameOf = ({ identity, owner }: Me) => identity ?? `key of ${owner}`;

export const isOfficer = (me: Me) => has(me, 'risk_officer');

/** A case's standing for this person, which says whose turn it is. */
export type Standing =
  | { readonly kind: 'mine' | 'free' | 'confirming' | 'decided' | 'closed' }
  /** Not for this person now; `why` is a sentence. */
  | { readonly kind: 'others'; readonly why: string };

const ENGINE = 'engine';

/** @param nowMs by the server's clock */
export function standingOf(one: ReviewCase, me: Me, nowMs: number): Standing {
  const { state } = one;
  if (!has(me, 'analyst', 'risk_officer')) {
    return { kind: 'others', why: 'Your roles do not allow reviews.' };
  }
  if (state === 'confirming' || state === 'decided' || state === 'closed') return { kind: state };
  const name = nameOf(me);
  const isHeld = one.locked_until !== null && Date.parse(one.locked_until) > nowMs;
  if (isHeld && one.locked_by === name) return { kind: 'mine' };
  if (isHeld) return { kind: 'others', why: `${person(one.locked_by ?? '')} has claimed it.` };
  if (one.assignee !== null && one.assignee !== name) {
    return { kind: 'others', why: `It is assigned to ${one.assignee}.` };
  }
  const isLeft = one.escalated_by !== null && one.escalated_by !== ENGINE;
  if (isLeft && !isOfficer(me)) {
    return { kind: 'others', why: `${person(one.escalated_by ?? '')} left it to a risk officer.` };
  }
  return { kind: 'free' };
}

/** Why a case exists, in a few words: what raised it, and the rules behind it. */
export const SOURCES: Readonly<Record<ReviewCase['source'], string>> = {
  ...{ verdict: 'verdict', dispute: 'dispute', spot_check: 'spot check', manual: 'opened by hand' },
};
