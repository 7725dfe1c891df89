/** Says whether the page is live or stale, and how degraded the engine is. */
import { type Query, useQueryClient } from '@tanstack/react-query';
import type { LiveFigures } from '../../../src/kit/client/api-types.ts';
import { useSilence } from '../api/contact.ts';
import type { Live } from '../api/live-source.ts';
import { clock } from '../format.ts';
import { Badge } from './show.tsx';

export function Connection({
  live: { state, atMs, figures },
  status,
}: {
  readonly live: Pick<Live<unknown, unknown>, 'state' | 'atMs' | 'figures'>;
  /** The status of the pipeline; absent where other figures are shown. */
  readonly status?: LiveFigures['status'] | undefined;
}) {
  const level = status?.degradation ?? 0;
  const stale = figures === undefined ? 'No answer' : `Stale since ${clock(atMs)}`;
  return (
    <>
      {status?.postgres === 'down' ? <Badge level="critical">Postgres is away</Badge> : null}
      {status?.redis === 'down' ? <Badge level="critical">Redis is away</Badge> : null}
      {level === 0 ? null : (
        <Badge level={level >= 2 ? 'critical' : 'warning'}>degradation {level}</Badge>
      )}
      <output className={`connection ${state}`}>
        {state === 'live' ? 'Live' : state === 'stale' ? stale : 'Connecting …'}
      </output>
    </>
  );
}

/**
 * On a page without live figures, says while the API is silent of which time the page is; otherwise shows nothing. A page may be
 * older than the silence: what it asked again since then was not answered.
 */
export function Silence() {
  const sinceMs = useSilence();
  const cache = useQueryClient().getQueryCache();
  if (sinceMs === null) return null;
  const shown = cache.findAll({ type: 'active', stale: true, predicate: hasData });
  const atMs = Math.min(sinceMs, ...shown.map(({ state }) => state.dataUpdatedAt));
  return <output className="connection stale silence">Stale since {clock(atMs)}</output>;
}

const hasData = ({ state }: Query) => state.data !== undefined;
