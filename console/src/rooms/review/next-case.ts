/** Claims the most urgent case and opens it; its address keeps the filter, so that the one after it is of the same kind. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import type { NextReviewCase } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { REVIEWS } from './cases.ts';
import { PRIORITIES } from './marks.tsx';

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

/** `data` is null where nothing waits that this person may take. */
export function useNextCase() {
  const client = useQueryClient();
  const [, go] = useLocation();
  return useMutation({
    mutationFn: async (filter: NextReviewCase) =>
      (await ask('POST /v1/reviews/next', { body: filter })).case,
    onSuccess: (claimed, filter) => {
      void client.invalidateQueries({ queryKey: [REVIEWS] });
      if (claimed !== null) go(caseLink(claimed.transaction_id, filter));
    },
  });
}
