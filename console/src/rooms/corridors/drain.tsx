/** How far a frozen scope is drained. */
import { useQuery } from '@tanstack/react-query';
import type { ScopeState, Standing } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { CONTROLS } from '../../api/controls.ts';
import { usePolling } from '../../api/presence.ts';
import { count } from '../../format.ts';
import { Badge } from '../../parts/show.tsx';

/** Longer: people wait for a drain that is over. Shorter: each open page counts what is pending more often. */
const ASK_EVERY_MS = 5000;

export function Drain({ market, scope }: { readonly market: string; readonly scope: string }) {
  const [, corridor] = scope.split(':');
  const { data } = useQuery({
    queryKey: [...CONTROLS, 'standing', scope],
    queryFn: ({ signal }): Promise<Standing | ScopeState> =>
      corridor === undefined
        ? ask('GET /v1/markets/{id}', { path: { id: market } }, signal)
        : ask('GET /v1/corridors/{id}', { path: { id: corridor } }, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
  // Everybody who sees this page reads the whole standing.
  if (data === undefined || !('pending' in data)) return <span className="muted">…</span>;
  const { state, is_drained: isDrained, pending, releases_held: isHeld } = data;
  const level = isDrained ? 'fine' : 'warning';
  return (
    <span className="wrap">
      {' '}
      <Badge level={level}>{isDrained ? 'drained' : `${count(pending)} pending`}</Badge>{' '}
      {state === 'stopped' ? 'Stopped: nothing drains. ' : ''}
      {isHeld ? 'Release no value.' : ''}
    </span>
  );
}
