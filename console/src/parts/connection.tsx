/** Whether the figures are live, and how degraded the engine is. */
import type { LiveFigures } from '../../../src/kit/client/api-types.ts';
import { Badge } from './show.tsx';

export function Connection({
  state,
  figures,
}: {
  readonly state: 'connecting' | 'live' | 'lost';
  /** Of the pipeline; absent where others are shown. */
  readonly figures?: LiveFigures | undefined;
}) {
  const level = figures?.status.degradation ?? 0;
  return (
    <>
      {level === 0 ? null : (
        <Badge level={level >= 2 ? 'critical' : 'warning'}>degradation {level}</Badge>
      )}
      <output className={`connection ${state}`}>
        {state === 'live' ? 'Live' : state === 'lost' ? 'Reconnecting …' : 'Connecting …'}
      </output>
    </>
  );
}
