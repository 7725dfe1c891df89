/** The requests of the pages of lists. */
import { useQuery } from '@tanstack/react-query';
import { ask } from '../../api/ask.ts';
import { RULE_SETS } from '../rules/rule-sets.tsx';

/** Everything of lists is asked again after each change. */
export const LISTS = 'lists';

export const useLists = () =>
  useQuery({
    queryKey: [LISTS, 'all'],
    queryFn: ({ signal }) => ask('GET /v1/lists', {}, signal),
  });

export const entryHref = ({ list, value }: { readonly list: string; readonly value: string }) =>
  `/lists/${list}?${new URLSearchParams({ value })}`;

/** Whether a rule in force asks the list; undefined until it is known. */
export function useIsAsked(list: string): boolean | undefined {
  const { data } = useQuery(RULE_SETS);
  const call = new RegExp(`in_list\\(\\s*["']${list}["']`);
  return data?.items
    .filter(({ in_force }) => in_force)
    .some(({ rules }) => rules.some(({ when, measure }) => call.test(`${when} ${measure}`)));
}
