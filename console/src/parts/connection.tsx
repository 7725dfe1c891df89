/** Says whether the page is live or stale, and how degraded the engine is. */
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
  /** Of the pipeline; absent where others are shown. */
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

/** On a page without live figures, says since when the API is silent; otherwise shows nothing. */
export function Silence() {
  const sinceMs = useSilence();
  if (sinceMs === null) return null;
  return <output className="connection stale silence">Stale since {clock(sinceMs)}</output>;
}
