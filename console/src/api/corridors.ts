/** Names of the corridors, for forms that choose among them. */
import { useQuery } from '@tanstack/react-query';
import { ask } from './ask.ts';

/** Empty until they are known. */
export function useCorridorNames(): readonly string[] {
  const { data } = useQuery({
    queryKey: ['corridors'],
    queryFn: ({ signal }) => ask('GET /v1/corridors', {}, signal),
  });
  return data?.items.map(({ corridor }) => corridor) ?? [];
}
