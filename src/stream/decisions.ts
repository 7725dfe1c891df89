/**
 * Events of final decisions: one stream a market. An event's id in the stream is that of the decision in Postgres, so Redis
 * refuses one that it has already, and after a loss of Redis its newest id says where to go on.
 */
import { type RedisClient, toRedisFailure } from './connection/connection.ts';
import { decisionsKey } from './keys.ts';

/** Version of the event. */
const VERSION = '1';
/** Events kept, at least; about 300 bytes each. */
export const DECISION_EVENTS_KEPT = 20_000;
/** Redis' words for an id that is not greater than the newest. */
const IS_KNOWN = /equal or smaller/;

export type DecisionEvent = {
  readonly decisionId: string;
  readonly corridor: string;
  /** The decision as JSON. */
  readonly json: string;
};

export type DecisionStream = {
  /** Id of the newest event; "0" where there is none. Throws a Failure. */
  readonly newest: () => Promise<string>;
  /** Appends events in their order. Throws a Failure. */
  readonly append: (events: readonly DecisionEvent[]) => Promise<void>;
};

export function openDecisionStream(redis: RedisClient, market: string): DecisionStream {
  const key = decisionsKey(market);
  return {
    async newest() {
      const entries = await redis.xrevrange(key, '+', '-', 'COUNT', 1).catch((error: unknown) => {
        throw toRedisFailure(error);
      });
      return entries[0]?.[0].split('-')[0] ?? '0';
    },
    async append(events) {
      for (const { decisionId, corridor, json } of events) {
        const kept = ['MAXLEN', '~', DECISION_EVENTS_KEPT] as const;
        const fields = ['v', VERSION, 'corridor', corridor, 'decision', json];
        await redis.xadd(key, ...kept, `${decisionId}-0`, ...fields).catch((error: unknown) => {
          if (error instanceof Error && IS_KNOWN.test(error.message)) return;
          throw toRedisFailure(error);
        });
      }
    },
  };
}
