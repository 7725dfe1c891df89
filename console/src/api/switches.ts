/** The stops, as the API last told them. */
import { useQuery } from '@tanstack/react-query';
import { ask } from './ask.ts';
import { usePolling } from './presence.ts';

/** Longer: people learn of a stop later. Shorter: each open page asks more often. */
const ASK_EVERY_MS = 5000;

export const SWITCHES = ['switches'] as const;

export function useSwitches() {
  return useQuery({
    queryKey: SWITCHES,
    queryFn: ({ signal }) => ask('GET /v1/switches', {}, signal),
    refetchInterval: usePolling(ASK_EVERY_MS),
  });
}
