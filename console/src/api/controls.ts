/** The controls, as the API last told them. */
import { useQuery } from '@tanstack/react-query';
import { ask } from './ask.ts';
import { usePolling } from './presence.ts';

/** Longer: people learn of a stop later. Shorter: each open page asks more often. */
const ASK_EVERY_MS = 5000;

export const CONTROLS = ['controls'] as const;

export function useControls() {
  return useQuery({
    queryKey: CONTROLS,
    queryFn: ({ signal }) => ask('GET /v1/controls', { query: {} }, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
}
