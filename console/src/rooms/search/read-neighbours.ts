/** The neighbours of a transaction, asked for once for all parts of its page. */
import { useQuery } from '@tanstack/react-query';
import { ask } from '../../api/ask.ts';

// A question of its own: it reads more than all else on the page, which does not wait for it.
export function useNeighbours(id: string) {
  return useQuery({
    queryKey: ['neighbours', id],
    queryFn: ({ signal }) =>
      ask('GET /v1/transactions/{id}', { path: { id }, query: { expand: 'neighbours' } }, signal),
    select: ({ neighbours }) => neighbours,
  });
}
