/**
 * Opens a case that the person has claimed, or else claims the most urgent case. The address of the case keeps the filter, so that
 * the next case is of the same kind.
 */
import { type QueryClient, useMutation, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useLocation } from 'wouter';
import type {
  Me,
  NextReviewCase,
  ReviewCase,
  ReviewCaseDetail,
} from '../../../../src/kit/client/api-types.ts';
import { ask, deadline, Refusal } from '../../api/ask.ts';
import { useWish } from '../../api/follow-up.ts';
import { caseKey, nameOf, REVIEWS } from './cases.ts';
import { PRIORITIES } from './marks.tsx';
import { steps } from './steps.ts';

/** The filter for a priority or corridor, where the address of the queue names one. */
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

const shownId = () => /\/review\/([^/]+)$/.exec(location.pathname)?.[1];

/** The case that the key opened last. */
let opened: string | undefined;
/** Cases that somebody left in this tab for the next one. */
const passed = new Set<string>();

/** Releases the case on the page if the key claimed the case and nothing was done with it. @param other the case shown next */
export async function releaseUntouched(client: QueryClient, other: ReviewCase): Promise<void> {
  const id = shownId();
  if (id === undefined || id !== opened || id === other.transaction_id) return;
  const one = client.getQueryData<ReviewCaseDetail | null>(caseKey(id));
  const isUntouched = one?.state === 'claimed' && one.history[0]?.action === 'case.claim';
  if (one !== undefined && !isUntouched) return;
  // A release that fails leaves the lock to expire.
  await steps.release(id).catch(() => undefined);
}

type Taken = { readonly one: ReviewCase | null; readonly isNew: boolean };

/** Cases that the person has claimed come before others, and those that the person passed come last. */
async function takeOne(filter: NextReviewCase, me: Me): Promise<Taken> {
  const query = { ...filter, state: 'claimed', locked_by: nameOf(me) } as const;
  const claimed = await ask('GET /v1/reviews', { query }, deadline());
  const own = claimed.items.filter(({ transaction_id: id }) => id !== shownId());
  const waiting = own.find(({ transaction_id: id }) => !passed.has(id));
  const kept = waiting && (await keep(waiting));
  if (kept) return { one: kept, isNew: false };
  const next = await ask('POST /v1/reviews/next', { body: filter }, deadline());
  if (next.case !== null) return { one: next.case, isNew: true };
  return { one: (own[0] && (await keep(own[0]))) ?? null, isNew: false };
}

/** Extends the lock; undefined where somebody else has the case by now. */
async function keep({ transaction_id: id }: ReviewCase): Promise<ReviewCase | undefined> {
  try {
    return await steps.claim(id);
  } catch (error) {
    if (error instanceof Refusal && error.status === 409) return undefined;
    throw error;
  }
}

/**
 * `claimed` is null where nothing waits that this person may take, and a case where its answer came too late to open it. A case
 * whose page the person has left meanwhile is released, if it was claimed for that page.
 */
export function useNextCase(me: Me) {
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
    mutationFn: (filter: NextReviewCase) => takeOne(filter, me),
    networkMode: 'always',
    onSuccess: async ({ one, isNew }, filter) => {
      if (one !== null && wish.holds()) {
        opened = one.transaction_id;
        go(caseLink(one.transaction_id, filter));
      } else if (one !== null && isNew && !isShown.current) {
        // A release that fails leaves the lock to expire.
        await steps.release(one.transaction_id).catch(() => undefined);
      }
      void client.invalidateQueries({ queryKey: [REVIEWS] });
    },
  });
  return {
    take: (filter: NextReviewCase) => {
      wish.make();
      const id = shownId();
      if (id !== undefined) passed.add(id);
      if (!request.isPending) mutate(filter);
    },
    claimed: request.data?.one,
    filter: request.variables ?? {},
    error: request.error,
    isPending: request.isPending,
    reset: request.reset,
  };
}

export type NextCase = ReturnType<typeof useNextCase>;
