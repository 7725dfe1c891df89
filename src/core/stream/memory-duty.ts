/**
 * Frees memory of Redis for stream entries: profiles, events and copies of dead letters give way, each by a
 * duty of every worker.
 */
import type { Config } from '../../kit/config/config.ts';
import type { Metrics } from '../../kit/metrics/metrics.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';
import type { StreamKeys } from './keys.ts';
import type { ProfileLogs } from './profiles/profile-logs.ts';
import { createEventBudget } from './settle/event-budget.ts';

/**
 * At 30,000 scores a second 3.4 MB of events come between two checks, each of which takes Redis 6 to 12 µs a
 * stream.
 */
const EVENTS_EVERY_MS = 1000;
const PROFILES_EVERY_MS = 500;

export type Memory = ReturnType<typeof bindMemory>;

export function bindMemory(
  { RISK_EVENT_BYTES_MAX: bytesMax }: Config,
  redis: RedisClient,
  logs: Pick<ProfileLogs, 'keepBudget'>,
  metrics: Metrics,
) {
  const events = createEventBudget(redis, bytesMax);
  return {
    settleOptions: {
      hasRoom: events.hasRoom,
      onUnpublished: (scores: number) => {
        if (bytesMax > 0) metrics.unpublished.inc(scores);
      },
    },
    duties: (streams: () => readonly StreamKeys[]) => [
      {
        name: 'event-budget',
        everyMs: EVENTS_EVERY_MS,
        async run() {
          const { kept, dropped } = await events.keep(streams());
          for (const kind of ['scored', 'dead_letters'] as const) {
            metrics.eventBytes.set({ kind }, kept[kind]);
            metrics.eventBytesDropped.inc({ kind }, dropped[kind]);
          }
        },
      },
      {
        name: 'profile-budget',
        everyMs: PROFILES_EVERY_MS,
        run: async () => metrics.profileLogsDropped.inc(await logs.keepBudget()),
      },
    ],
  };
}
