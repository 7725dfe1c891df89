/** Backtests as they were asked for: their requests, their state, and the payments they are of. */
import { useQuery } from '@tanstack/react-query';
import type { Backtest } from '../../../../src/kit/client/api-types.ts';
import { ask } from '../../api/ask.ts';
import { usePolling } from '../../api/presence.ts';
import { percent } from '../../format.ts';
import { Badge, type Level } from '../../parts/show.tsx';

export const BACKTESTS = 'backtests';
/** A run stores how far it is once a second. */
const OPEN_EVERY_MS = 1000;

const LEVELS: Readonly<Record<Backtest['state'], Level>> = {
  ...{ queued: 'unknown', running: 'warning', done: 'fine', cancelled: 'unknown' },
  failed: 'critical',
};

export const isOpen = ({ state }: Pick<Backtest, 'state'>) =>
  state === 'queued' || state === 'running';
export const hrefOf = ({ backtest_id: id }: Pick<Backtest, 'backtest_id'>) => `/backtests/${id}`;
/** The days of the window: a backtest ends before its last moment. */
export const windowOf = ({ from, to, corridor }: Backtest) =>
  `${shorten(from)} to ${shorten(to)}, ${corridor ?? 'all corridors'}`;
const shorten = (at: string) => at.replace(/T00:00:00\.000Z$/, '').replace(/:00\.000Z$/, 'Z');

export function State({ one: { state, progress } }: { readonly one: Backtest }) {
  return (
    <Badge level={LEVELS[state]}>
      {state}
      {state === 'running' ? ` ${percent(progress)}` : ''}
    </Badge>
  );
}

/** The newest ones, asked again while one waits or runs. */
export function useBacktests() {
  const every = usePolling(OPEN_EVERY_MS);
  return useQuery({
    queryKey: [BACKTESTS, 'all'],
    queryFn: ({ signal }) => ask('GET /v1/backtests', {}, signal),
    refetchInterval: ({ state: { data } }) => (data?.items.some(isOpen) ? every : false),
  });
}

export function useBacktest(id: string | null) {
  const every = usePolling(OPEN_EVERY_MS);
  return useQuery({
    queryKey: [BACKTESTS, id],
    queryFn: ({ signal }) => ask('GET /v1/backtests/{id}', { path: { id: id ?? '' } }, signal),
    enabled: id !== null,
    refetchInterval: ({ state: { data } }) => (data && isOpen(data) ? every : false),
  });
}
