/** Gives a case to a person, or to nobody. */
import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReviewCase } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { type Step, steps } from './steps.ts';

type AssignProps = {
  readonly one: ReviewCase;
  readonly isBusy: boolean;
  readonly run: (step: Step) => void;
};

export function Assign({ one, isBusy, run }: AssignProps) {
  const { data, hasNextPage, fetchNextPage } = useInfiniteQuery({
    queryKey: ['identities'],
    queryFn: ({ pageParam, signal }) =>
      ask('GET /v1/identities', { query: { cursor: pageParam } }, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    staleTime: 60_000,
  });
  const people = data?.pages.flatMap(({ items }) => items) ?? [];
  const names = people.filter((person) => person.revoked_at === null).map((one) => one.identity);
  const { assignee } = one;
  const all = assignee === null || names.includes(assignee) ? names : [assignee, ...names];
  return (
    <label className="assign">
      <span>Assigned to</span>
      <select
        value={assignee ?? ''}
        disabled={isBusy}
        onFocus={() => hasNextPage && void fetchNextPage()}
        onChange={({ target: { value } }) =>
          run(() => steps.assign(one.transaction_id, value === '' ? null : value))
        }
      >
        <option value="">nobody</option>
        {all.map((name) => (
          <option key={name}>{name}</option>
        ))}
      </select>
    </label>
  );
}
