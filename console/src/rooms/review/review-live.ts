/** The live figures of the review, and sums of them. */
import type { ReviewStatus } from '../../../../src/kit/client/api-types.ts';
import { createLive } from '../../api/live-source.ts';

export type Waiting = ReviewStatus['waiting'][number];

/** A point of the plots of the last hour. */
export type ReviewPoint = {
  readonly at: string;
  /** P0 to P5. */
  readonly waiting: readonly number[];
  readonly missed: number;
  readonly near: number;
  readonly officers_at_work: number;
};

export const PRIORITIES = ['P0', 'P1', 'P2', 'P3', 'P4', 'P5'] as const;
export type PriorityName = (typeof PRIORITIES)[number];

function toPoint({ at, waiting, officers_at_work }: ReviewStatus): ReviewPoint {
  const { missed, near } = sumWaiting(waiting);
  const byPriority = PRIORITIES.map(
    (name) => sumWaiting(waiting.filter(({ priority }) => priority === name)).waiting,
  );
  return { at, waiting: byPriority, missed, near, officers_at_work };
}

export const useReviewLive = createLive({
  path: '/v1/reviews/status',
  toPoint,
  silentMsMax: 12_500,
});

export type Depth = {
  readonly waiting: number;
  readonly claimed: number;
  readonly missed: number;
  readonly near: number;
  /** Mean; null where nothing waits. */
  readonly ageSeconds: number | null;
  readonly oldestSeconds: number;
};

export function sumWaiting(rows: readonly Waiting[]): Depth {
  const sum = (of: (row: Waiting) => number) => rows.reduce((total, row) => total + of(row), 0);
  const waiting = sum((row) => row.waiting);
  const age = sum((row) => row.age_seconds * row.waiting);
  return {
    waiting,
    claimed: sum((row) => row.claimed),
    missed: sum((row) => row.missed),
    near: sum((row) => row.near),
    ageSeconds: waiting === 0 ? null : age / waiting,
    oldestSeconds: Math.max(0, ...rows.map((row) => row.oldest_seconds)),
  };
}
