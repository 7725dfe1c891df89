/** Sums by day and corridor, from which pages make theirs. */
import { useQuery } from '@tanstack/react-query';
import type { DailySummary } from '../../../src/kit/client/api-types.ts';
import { ask } from './ask.ts';
import { serverMs } from './server-time.ts';

export type Sum = {
  readonly name: string;
  readonly transactions: number;
  readonly approve: number;
  readonly review: number;
  readonly decline: number;
  readonly deadLetters: number;
  readonly meanScore: number | null;
};

export const DAY_MS = 86_400_000;

/** A page that stays open shows the day as it goes on. */
const REFETCH_MS = 60_000;

/** UTC days, today among them. */
export function useDays(days: number) {
  const from = new Date(serverMs() - (days - 1) * DAY_MS).toISOString().slice(0, 10);
  return useQuery({
    queryKey: ['days', from],
    queryFn: ({ signal }) => ask('GET /v1/summaries/daily', { query: { from } }, signal),
    refetchOnWindowFocus: false,
    refetchInterval: REFETCH_MS,
  });
}

/** Adds the sums of each name up, in the order of names. */
export function sumBy(
  items: readonly DailySummary[],
  nameOf: (item: DailySummary) => string,
): Sum[] {
  const groups = Map.groupBy(items, nameOf);
  return [...groups]
    .map(([name, of]) => sumOf(name, of))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sumOf(name: string, items: readonly DailySummary[]): Sum {
  const sum = (value: (item: DailySummary) => number | undefined) =>
    items.reduce((total, item) => total + (value(item) ?? 0), 0);
  const scoredOf = ({ scores }: DailySummary) =>
    scores === null ? 0 : scores.approve + scores.review + scores.decline;
  const scored = sum(scoredOf);
  return {
    name,
    transactions: sum((item) => item.transactions),
    approve: sum(({ scores }) => scores?.approve),
    review: sum(({ scores }) => scores?.review),
    decline: sum(({ scores }) => scores?.decline),
    deadLetters: sum(({ dead_letters }) => dead_letters ?? 0),
    meanScore:
      scored === 0 ? null : sum((item) => (item.mean_score ?? 0) * scoredOf(item)) / scored,
  };
}
