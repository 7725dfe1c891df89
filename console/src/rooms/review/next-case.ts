/** Claims the most urgent case and opens it; its address keeps the filter, so that the one after it is of the same kind. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import type { NextReviewCase } from '../../../../src/kit/client/api-types.ts';
import { ask, deadline } from '../../api/ask.ts';
import { useWish } from '../../api/follow-up.ts';
import { REVIEWS } from './cases.ts';
import { PRIORITIES } from './marks.tsx';
import { steps } from './steps.ts';

/** Of one priority or corridor, where the address of the queue says so. */
export function nextFilterOf(search: URLSearchParams): NextReviewCase {
  return {
    priority: PRIORITIES.find((name) => name === search.get('priority')),
    corridor: search.get('corridor') ?? undefined,
  };
}

export function caseLink(id: string, { priority, corridor }: NextReviewCase): string {
  const search = new URLSearchParams();
  if (priority !== undefined) search.set('priority', priority);
  if (corridor !== undefined) search.set('corridor', corridor);
  return `/review/${id}${search.size === 0 ? '' : `?${search}`}`;
}

/**
 * `claimed` is null where nothing waits that this person may take, and a case where its answer came too late to open it. A case
 * whose page the person has left meanwhile is released.
 */
export function useNextCase() {
  const client = useQueryClient();
  const [, go] = useLocation();
  const wish = useWish();
  const isShown = useRef(true);
  useEffect(() => {
    isShown.current = true;
    return () => {
      isShown.current = false;
    };
  }, []);
  const { mutate, ...request } = useMutation({
    mutationFn: async (filter: NextReviewCase) =>
      (await ask('POST /v1/reviews/next', { body: filter }, deadline())).case,
    networkMode: 'always',
    onSuccess: async (claimed, filter) => {
      if (claimed !== null && wish.holds()) go(caseLink(claimed.transaction_id, filter));
      // A release that fails leaves the lock to expire.
      else if (claimed !== null && !isShown.current) {
        await steps.release(claimed.transaction_id).catch(() => undefined);
      }
      void client.invalidateQueries({ queryKey: [REVIEWS] });
    },
  });
  return {
    take: (filter: NextReviewCase) => {
      wish.make();
      if (!request.isPending) mutate(filter);
    },
    claimed: request.data,
    filter: request.variables ?? {},
    error: request.error,
    isPending: request.isPending,
    reset: request.reset,
  };
}

export type NextCase = ReturnType<typeof useNextCase>;
