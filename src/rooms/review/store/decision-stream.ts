/**
 * The stream of final decisions, one a market. An event has the id of its decision in Postgres, so Redis refuses an event that
 * the stream has already, and after a loss of Redis the newest id says where to go on.
 */
import { decisionsKey } from '../../../core/stream/keys.ts';
import { loadScript, runScript } from '../../../core/stream/scripts.ts';
import type { RedisClient } from '../../../kit/redis/connection.ts';
import type { FinalDecision } from '../final-decision.ts';

/** Version of the event. */
const VERSION = '1';
/** Events that the stream has at least; about 300 bytes each. With fewer, a reader that stops for long loses some. */
const DECISION_EVENTS_MIN = 20_000;
/** Nothing is appended behind this id, as no event has it. */
const NO_ID = '';

const script = loadScript('append-decisions-1');

/**
 * Appends all events in their order. Appends none if the newest event is not `newest`: another process has appended, or Redis
 * has lost events.
 * @returns id of the newest event before; "0" where there is none
 * @throws Failure
 */
export async function appendDecisions(
  redis: RedisClient,
  market: string,
  newest: string,
  decisions: readonly FinalDecision[],
): Promise<string> {
  const events = decisions.flatMap((decision) => [
    decision.decision_id,
    decision.corridor,
    JSON.stringify(decision),
  ]);
  const args = [newest, DECISION_EVENTS_MIN, VERSION, ...events];
  return String(await runScript(redis, script, { keys: [decisionsKey(market)], args }));
}

/** Id of the newest event; "0" where there is none. @throws Failure */
export async function newestDecision(redis: RedisClient, market: string): Promise<string> {
  return await appendDecisions(redis, market, NO_ID, []);
}
