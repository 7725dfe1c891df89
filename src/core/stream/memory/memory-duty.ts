/** The duty of every worker that makes events and profiles give way in Redis' memory. */
import type { Duty } from '../../../kit/duties/run-duties.ts';
import type { Metrics } from '../../../kit/metrics/metrics.ts';
import type { StreamKeys } from '../keys.ts';
import { boundEvents } from './bound-events.ts';
import { boundProfiles } from './bound-profiles.ts';
import type { MarketInRedis } from './memory.ts';

/** At 30,000 scores a second 3.4 MB of events and 2.3 MB of records come between two checks. */
const EVERY_MS = 1000;

/** Makes profiles and events of these streams give way, on every worker. */
export function memoryDuty(
  market: MarketInRedis,
  metrics: Metrics,
  streams: () => readonly StreamKeys[],
): Duty {
  return {
    name: 'memory',
    everyMs: EVERY_MS,
    async run() {
      const { left, dropped } = await boundEvents(market, streams());
      for (const kind of ['scored', 'dead_letters'] as const) {
        metrics.eventBytes.set({ kind }, left[kind]);
        metrics.eventBytesDropped.inc({ kind }, dropped[kind]);
      }
      await boundProfiles(market);
    },
  };
}
