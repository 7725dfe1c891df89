/**
 * Events of final decisions: one stream a market. An event's id in the stream is that of the decision in Postgres, so Redis
 * refuses one that it has already, and after a loss of Redis its newest id says where to go on.
 */
import { decisionsKey } from '../../core/stream/keys.ts';
import { loadScript, runScript } from '../../core/stream/scripts.ts';
import type { RedisClient } from '../../kit/redis/connection.ts';

/** Version of the event. */
const VERSION = '1';
/** Events kept, at least; about 300 bytes each. */
const DECISION_EVENTS_KEPT = 20_000;
/** No id of an event: nothing is appended after it. */
const NO_ID = '';

export type DecisionEvent = {
  readonly decisionId: string;
  readonly corridor: string;
  /** The decision as JSON. */
  readonly json: string;
};

export type DecisionStream = {
  /** Id of the newest event; "0" where there is none. Throws a Failure. */
  readonly newest: () => Promise<string>;
  /**
   * Appends events in their order, all of them or none.
   * @param newest id of the newest event as it was read
   * @returns false where another event is the newest: others have appended, or Redis has lost events
   * @throws Failure
   */
  readonly append: (newest: string, events: readonly DecisionEvent[]) => Promise<boolean>;
};

export function openDecisionStream(redis: RedisClient, market: string): DecisionStream {
  const script = loadScript('append-decisions-1');
  const run = async (newest: string, events: readonly DecisionEvent[]) => {
    const args = events.flatMap(({ decisionId, corridor, json }) => [decisionId, corridor, json]);
    return await runScript(redis, script, {
      keys: [decisionsKey(market)],
      args: [newest, DECISION_EVENTS_KEPT, VERSION, ...args],
    });
  };
  return {
    newest: async () => String(await run(NO_ID, [])),
    append: async (newest, events) => (await run(newest, events)) === newest,
  };
}
